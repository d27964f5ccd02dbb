//! Who may call what: the tables of methods against the contract, against the page that shows them, and over the wire with every
//! role, none, and wrong credentials.

use std::{collections::BTreeMap, fmt::Write as _};

use acquaint_proto::{connection::v1 as connection, invitation::v1 as invitation};
use acquaint_tests::{
    Connections,
    pair::{Pair, Setup},
    refusal::Refusal,
    wait::eventually,
};
use prost::Message as _;
use service_kit::auth::{Access, Kind, Method, Role, new_token};
use tonic::Code;

use crate::{contract, wire::Wire};

/// The methods of both services.
fn methods() -> Vec<Method> {
    [
        invitation_service::grpc::METHODS,
        connection_service::grpc::METHODS,
    ]
    .concat()
}

#[test]
fn the_tables_have_every_method_of_the_contract_once() {
    let mut tables: BTreeMap<String, Kind> = BTreeMap::new();
    for method in methods() {
        let before = tables.insert(method.path.to_owned(), method.kind);
        assert_eq!(before, None, "{}", method.path);
    }
    let mut described = BTreeMap::new();
    for file in contract::descriptor().file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                let kind = match (method.client_streaming(), method.server_streaming()) {
                    (false, false) => Kind::Call,
                    (false, true) => Kind::Watch,
                    (true, false) => Kind::Upload,
                    (true, true) => panic!("{path}: not known here"),
                };
                described.insert(path, kind);
            }
        }
    }
    assert_eq!(tables, described);
}

#[test]
fn the_page_shows_the_tables() {
    let page = contract::root().join("docs/callers.md");
    let shown = page_of_tables();
    if std::env::var_os("ACQUAINT_WRITE_DOCS").is_some() {
        std::fs::write(&page, &shown).unwrap();
    }
    let stands = std::fs::read_to_string(&page).unwrap();
    assert_eq!(stands, shown, "run make docs");
}

fn page_of_tables() -> String {
    let mut page = String::from(
        "# Who may call what\n\n\
         Written from the code by `make docs`; do not edit it.\n\n\
         A caller shows a token, `authorization: Bearer TOKEN`, and has the roles that the tokens file gives it (see \
         [SECURITY.md](../SECURITY.md)). Without a valid token every method answers `UNAUTHENTICATED`, without the role `PERMISSION_DENIED` \
         with the reason `NOT_ALLOWED`. `grpc.health.v1.Health` is open to everybody; server reflection to whoever has a valid token.\n\n\
         Without a tokens file only an address of loopback is listened on, and everybody may call everything.\n",
    );
    let mut service = "";
    for method in methods() {
        let (of, name) = method.path[1..].split_once('/').unwrap();
        if of != service {
            service = of;
            write!(page, "\n## {of}\n\n| method |").unwrap();
            for role in Role::ALL {
                write!(page, " {role} |").unwrap();
            }
            writeln!(page, "\n|---|{}", "---|".repeat(Role::ALL.len())).unwrap();
        }
        write!(page, "| {name} |").unwrap();
        for role in Role::ALL {
            let may = match method.access {
                Access::Open | Access::AnyCaller => "yes",
                Access::Role(needed) if needed == role => "yes",
                Access::Scope { member, .. } if member == role => "`member_id`",
                Access::Scope { all_members, .. } if all_members == role => "`all_members`",
                Access::Role(_) | Access::Scope { .. } => "",
            };
            write!(page, " {may} |").unwrap();
        }
        page.push('\n');
    }
    page
}

/// Requests of a method that its access tells apart, each with the role it needs.
fn requests(method: &Method) -> Vec<(Vec<u8>, Role)> {
    match method.access {
        Access::Role(role) => vec![(Vec::new(), role)],
        Access::Scope {
            member,
            all_members,
        } => {
            let [one, all] = scopes(method.path);
            vec![(one, member), (all, all_members)]
        }
        Access::Open | Access::AnyCaller => panic!("{} is for everybody", method.path),
    }
}

/// A watch of one member and one of all.
fn scopes(path: &str) -> [Vec<u8>; 2] {
    if path.ends_with("/WatchInvitations") {
        use invitation::watch_invitations_request::Scope;
        [Scope::MemberId("ann".to_owned()), Scope::AllMembers(true)].map(|scope| {
            let scope = Some(scope);
            let resume_token = String::new();
            invitation::WatchInvitationsRequest {
                scope,
                resume_token,
            }
            .encode_to_vec()
        })
    } else if path.ends_with("/WatchConnections") {
        use connection::watch_connections_request::Scope;
        [Scope::MemberId("ann".to_owned()), Scope::AllMembers(true)].map(|scope| {
            let scope = Some(scope);
            let resume_token = String::new();
            connection::WatchConnectionsRequest {
                scope,
                resume_token,
            }
            .encode_to_vec()
        })
    } else {
        panic!("no scopes of {path}");
    }
}

async fn with_credentials() -> Pair {
    let credentials = true;
    Pair::with(Setup {
        credentials,
        ..Setup::default()
    })
    .await
}

/// Whether a call is let in by the gate; a refusal of credentials must be the one that is documented.
async fn lets_in(
    wire: &Wire,
    path: &str,
    message: &[u8],
    authorization: Option<&str>,
) -> Result<(), Code> {
    let header = authorization.map(|value| ("authorization", value));
    let Some(status) = wire.begin(path, message, header.as_slice()).await else {
        return Ok(());
    };
    match status.code() {
        code @ (Code::Unauthenticated | Code::PermissionDenied) => {
            let reason = Refusal::of(&status).reason;
            let expected = match code {
                Code::Unauthenticated => "UNAUTHENTICATED",
                _ => "NOT_ALLOWED",
            };
            assert_eq!(reason, expected, "{path}");
            Err(code)
        }
        _ => Ok(()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_method_refuses_whoever_lacks_its_role() {
    let pair = with_credentials().await;
    let wire = Wire::to(&pair).await;
    let mut asked = 0;
    for method in methods() {
        for (message, needed) in requests(&method) {
            for role in Role::ALL {
                let shown = format!("Bearer {}", pair.credentials.token(role));
                let found = lets_in(&wire, method.path, &message, Some(&shown)).await;
                let expected = if role == needed {
                    Ok(())
                } else {
                    Err(Code::PermissionDenied)
                };
                assert_eq!(found, expected, "{} as {role}", method.path);
                asked += 1;
            }
            let unknown = format!("Bearer {}", new_token("x", &Role::ALL).unwrap().token);
            let bare = pair.credentials.token(needed).to_owned();
            for wrong in [
                None,
                Some(&*unknown),
                Some(&*bare),
                Some("Bearer"),
                Some(""),
            ] {
                let found = lets_in(&wire, method.path, &message, wrong).await;
                assert_eq!(
                    found,
                    Err(Code::Unauthenticated),
                    "{} {wrong:?}",
                    method.path
                );
                asked += 1;
            }
        }
    }
    println!("{asked} calls");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_need_some_token_and_health_none() {
    let pair = with_credentials().await;
    let wire = Wire::to(&pair).await;
    let operator = format!("Bearer {}", pair.credentials.token(Role::Operator));
    let health = "/grpc.health.v1.Health/Check";
    assert_eq!(
        wire.begin(health, &[], &[])
            .await
            .map(|status| status.code()),
        None
    );
    for version in ["v1", "v1alpha"] {
        let path = format!("/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo");
        let without = lets_in(&wire, &path, &[], None).await;
        assert_eq!(without, Err(Code::Unauthenticated), "{version}");
        assert_eq!(
            lets_in(&wire, &path, &[], Some(&operator)).await,
            Ok(()),
            "{version}"
        );
    }
    let nothing = "/acquaint.invitation.v1.InvitationService/Frob";
    let header = [("authorization", operator.as_str())];
    let refused = wire
        .begin(nothing, &[], &header)
        .await
        .expect("no such method");
    assert_eq!(refused.code(), Code::Unimplemented);
    assert_eq!(
        lets_in(&wire, nothing, &[], None).await,
        Err(Code::Unauthenticated)
    );
    pair.stop().await;
}

/// A watch of one member's connections that was opened with `token`.
async fn watch_of_ann(
    pair: &Pair,
    token: &str,
) -> tonic::Streaming<connection::WatchConnectionsResponse> {
    use connection::watch_connections_request::Scope;
    let address = format!("http://{}", pair.connection_address());
    let channel = tonic::transport::Endpoint::from_shared(address).unwrap();
    let mut request = tonic::Request::new(connection::WatchConnectionsRequest {
        scope: Some(Scope::MemberId("ann".to_owned())),
        resume_token: String::new(),
    });
    let shown = format!("Bearer {token}").parse().unwrap();
    request.metadata_mut().insert("authorization", shown);
    let mut client = Connections::new(channel.connect_lazy());
    let opened = client.watch_connections(request).await;
    opened.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tokens_file_is_read_anew_when_it_changes() {
    let pair = with_credentials().await;
    let wire = Wire::to(&pair).await;
    let file = pair.credentials.file();
    let path = contract::path("CountInvitations");
    let admits = async |token: &str| {
        let shown = format!("Bearer {token}");
        lets_in(&wire, path, &[], Some(&shown)).await.is_ok()
    };
    let old = pair.credentials.token(Role::App).to_owned();
    let new = new_token("other", &[Role::App]).unwrap();
    assert!(admits(&old).await && !admits(&new.token).await);
    let mut watch = watch_of_ann(&pair, &old).await;
    assert!(watch.message().await.unwrap().is_some());
    std::fs::write(&file, &new.stanza).unwrap();
    eventually("the new token is good", || async {
        admits(&new.token).await.then_some(())
    })
    .await;
    assert!(!admits(&old).await, "the old one was taken out");
    let end = loop {
        match watch.message().await {
            Ok(heartbeat) => assert!(heartbeat.is_some(), "a watch ends with a reason"),
            Err(end) => break Refusal::of(&end),
        }
    };
    assert_eq!(end.reason, "UNAUTHENTICATED");
    std::fs::write(&file, "[[token]]\nname = ").unwrap();
    let health = "/grpc.health.v1.Health/Check";
    for _ in 0..3 {
        assert_eq!(
            wire.begin(health, &[], &[])
                .await
                .map(|status| status.code()),
            None
        );
        assert!(admits(&new.token).await, "a broken file changes nothing");
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_ends_when_its_token_is_taken_out() {
    let pair = with_credentials().await;
    let address = format!("http://{}", pair.connection_address());
    let channel = tonic::transport::Endpoint::from_shared(address).unwrap();
    let (rows, messages) = tokio::sync::mpsc::channel(1);
    let messages = tokio_stream::wrappers::ReceiverStream::new(messages);
    let mut request = tonic::Request::new(messages);
    let shown = format!("Bearer {}", pair.credentials.token(Role::Operator));
    let shown = shown.parse().unwrap();
    request.metadata_mut().insert("authorization", shown);
    let importing = tokio::spawn(async move {
        let mut client = Connections::new(channel.connect_lazy());
        client.import_connections(request).await
    });
    let message = connection::ImportConnectionsRequest::default();
    rows.send(message.clone()).await.unwrap();
    rows.send(message).await.unwrap();
    let other = new_token("other", &[Role::Operator]).unwrap();
    std::fs::write(pair.credentials.file(), &other.stanza).unwrap();
    let end = importing.await.unwrap().unwrap_err();
    assert_eq!(Refusal::of(&end).reason, "UNAUTHENTICATED");
    pair.stop().await;
}

//! What every single process answers while the server is away, and how soon after it is back everything is done again.

use std::time::Duration;

use acquaint_proto::{connection::v1 as connection, invitation::v1 as invitation};
use acquaint_tests::{
    Connections, Invitations, Members,
    rig::{
        Rig,
        ask::{Answer, ask},
        journal::{Act, Named, Outcome},
        process::{Clients, Service, Which},
    },
    wait::within,
};
use futures::{future::join_all, join};
use prost_types::FieldMask;
use tokio::time::{Instant, sleep, timeout};
use tonic::{Code, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt as _;
use uuid::Uuid;

/// Within so long whoever asks is told that the server is away; a commit that was under way when it went is looked for until then.
const ANSWER_MAX: Duration = Duration::from_secs(3);
/// Within so long after the server is back everything is done again.
const BACK_MAX: Duration = Duration::from_secs(5);
/// How long between two rounds of questions.
const PAUSE: Duration = Duration::from_millis(50);
/// Who asks beside the load.
const ASKING: &str = "asking";

/// What came of one question.
struct Asked {
    what: String,
    came: Result<(), Status>,
    took: Duration,
}

async fn write(service: &Service) -> Result<(), Status> {
    match service.which() {
        Which::Invitation => {
            let preferences = invitation::InvitationPreferences {
                auto_withdraw_after: Some(prost_types::Duration {
                    seconds: 30 * 24 * 60 * 60,
                    nanos: 0,
                }),
                ..Default::default()
            };
            let request = invitation::UpdateInvitationPreferencesRequest {
                member_id: ASKING.to_owned(),
                preferences: Some(preferences),
                update_mask: Some(FieldMask {
                    paths: vec!["auto_withdraw_after".to_owned()],
                }),
            };
            let mut client = Invitations::new(service.channel());
            client
                .update_invitation_preferences(request)
                .await
                .map(drop)
        }
        Which::Connection => {
            let request = connection::PutMemberRequest {
                member_id: ASKING.to_owned(),
                ..Default::default()
            };
            let mut client = Members::new(service.channel());
            client.put_member(request).await.map(drop)
        }
    }
}

async fn read(service: &Service) -> Result<(), Status> {
    match service.which() {
        Which::Invitation => {
            let request = invitation::CountInvitationsRequest {
                member_id: ASKING.to_owned(),
            };
            let mut client = Invitations::new(service.channel());
            client.count_invitations(request).await.map(drop)
        }
        Which::Connection => {
            let request = connection::ListConnectionsRequest {
                member_id: ASKING.to_owned(),
                ..Default::default()
            };
            let mut client = Connections::new(service.channel());
            client.list_connections(request).await.map(drop)
        }
    }
}

async fn timed(
    what: &str,
    service: &Service,
    asking: impl Future<Output = Result<(), Status>>,
) -> Asked {
    let begun = Instant::now();
    let came = asking.await;
    Asked {
        what: format!("{what} at {}", service.name()),
        came,
        took: begun.elapsed(),
    }
}

/// Has every process write and read something.
async fn ask_all(rig: &Rig) -> Vec<Asked> {
    let each = rig.processes.all().map(async |service| {
        let write = timed("a write", service, write(service));
        let (write, read) = join!(write, timed("a read", service, read(service)));
        [write, read]
    });
    join_all(each).await.into_iter().flatten().collect()
}

/// Whether every process says this of itself.
pub(crate) async fn all_say(rig: &Rig, status: ServingStatus) -> Option<()> {
    for service in rig.processes.all() {
        (service.health().await? == status).then_some(())?;
    }
    Some(())
}

/// For so long every process refuses everything soon and for the right reason, and says of itself that it does not serve; how long the
/// longest answer took.
pub(crate) async fn is_away(rig: &Rig, span: Duration) -> Duration {
    let begun = Instant::now();
    let mut longest = Duration::ZERO;
    loop {
        for Asked { what, came, took } in ask_all(rig).await {
            let status = came.expect_err(&what);
            let reason = status.get_details_error_info().map(|info| info.reason);
            assert_eq!(
                (status.code(), reason.as_deref()),
                (Code::Unavailable, Some("DEPENDENCY_UNAVAILABLE")),
                "{what} after {took:?}: {status:?}"
            );
            assert!(took <= ANSWER_MAX, "{what} took {took:?}");
            longest = longest.max(took);
        }
        let unserving = || all_say(rig, ServingStatus::NotServing);
        within(ANSWER_MAX, "all say that they do not serve", unserving).await;
        if begun.elapsed() >= span {
            return longest;
        }
        sleep(PAUSE).await;
    }
}

/// The server is back: within the time for it every process serves, writes and reads again, and invitations become connections; how long
/// that took.
pub(crate) async fn is_back(rig: &Rig) -> Duration {
    let begun = Instant::now();
    within(BACK_MAX, "all serve, write and read again", || async {
        all_say(rig, ServingStatus::Serving).await?;
        let asked = ask_all(rig).await;
        asked.iter().all(|asked| asked.came.is_ok()).then_some(())
    })
    .await;
    let left = BACK_MAX.saturating_sub(begun.elapsed());
    let all = rig.processes.all();
    let connecting = all
        .filter(|service| service.which() == Which::Invitation)
        .map(|service| {
            let clients = Clients {
                invitations: Invitations::new(service.channel()),
                ..rig.clients().clone()
            };
            connect_two(rig, clients)
        });
    let connected = timeout(left, join_all(connecting)).await;
    assert!(connected.is_ok(), "not within {BACK_MAX:?}: two connect");
    begun.elapsed()
}

/// Two members whom nobody knows become connected.
async fn connect_two(rig: &Rig, clients: Clients) {
    let [inviter, invitee, request_id] = [(); 3].map(|()| Uuid::from_u128(fastrand::u128(..)));
    let send = Act::Send {
        inviter: inviter.to_string(),
        invitee: invitee.to_string(),
        request_id: request_id.to_string(),
        note: String::new(),
    };
    let Outcome::Sent(id) = until_answered(rig, &clients, send).await else {
        panic!("an invitation was not sent");
    };
    let accept = Act::Accept(Named {
        member: invitee.to_string(),
        other: inviter.to_string(),
        id,
    });
    let accepted = until_answered(rig, &clients, accept).await;
    assert!(matches!(accepted, Outcome::Accepted { .. }), "{accepted:?}");
}

/// Asks until there is an answer, an acceptance until the two are connected.
async fn until_answered(rig: &Rig, clients: &Clients, act: Act) -> Outcome {
    let call = rig.journal.begin(act.clone());
    loop {
        match ask(clients, &act).await {
            Answer::Given(Outcome::Accepted {
                connected: false, ..
            })
            | Answer::None => {
                rig.journal.repeat(call);
                sleep(PAUSE).await;
            }
            Answer::Given(outcome) => {
                rig.journal.end(call, outcome.clone());
                return outcome;
            }
            Answer::Forbidden(what) => panic!("{act:?}: {what}"),
        }
    }
}

//! A note, a card and a query that were sent through everything are in no line of the log at any level, in no trace, no figure, no error, and in nothing that a
//! panic or a crash leaves behind. Nor is any member.
//!
//! What is looked at is a process of its own: this program again, which ends by aborting.

use std::{
    fs,
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, Output},
};

use acquaint_proto::connection::v1::{ConnectionOrder, ListConnectionsRequest, PutMemberRequest};
use acquaint_proto::invitation::v1::{
    BatchAcceptInvitationsRequest, BatchWithdrawInvitationsRequest, DeclineReason, InvitationBox,
    InvitationIds, MarkInvitationsSeenRequest, SendInvitationRequest,
    batch_accept_invitations_request as accept, batch_withdraw_invitations_request as withdraw,
};
use acquaint_tests::{
    collector::Collector,
    pair::{Pair, Setup},
    refusal::reason,
    scrape::{free_address, scrape},
    wait::eventually,
};
use service_kit::{
    core_dump,
    observability::ObservabilityOptions,
    telemetry::{LogFormat, LogOptions, init},
    time::Span,
    trace::TraceOptions,
};

use super::{Watch, erase};
use crate::wire::Wire;

/// The beginning of every note here.
const MARK: &str = "ThisIsTheSecretOfAnnAndBob";
/// The beginning of every source here.
const SOURCE: &str = "secret-place-of-ann";
/// The beginning of every member's id here.
const MEMBER: &str = "canary-member-";
/// Set for the process that is looked at: how it logs, and where its traces go.
const INNER: &str = "ACQUAINT_TEST_CANARY";
/// The last line of that process.
const LOGGED: &str = "the life of notes ends here";
/// What it leaves of its figures.
const FIGURES: &str = "figures.txt";

fn member(name: &str) -> String {
    format!("{MEMBER}{name}")
}

fn noted(inviter: &str, invitee: &str, note: &str) -> SendInvitationRequest {
    SendInvitationRequest {
        inviter_id: member(inviter),
        invitee_id: member(invitee),
        note: format!("{MARK}{note}"),
        source: SOURCE.to_owned(),
        ..Default::default()
    }
}

/// A pair that shows all it can, and where its figures are.
async fn shown(endpoint: &str) -> (Pair, [SocketAddr; 2]) {
    let addresses = [free_address(), free_address()];
    let [invitation_shows, connection_shows] = addresses.map(|address| ObservabilityOptions {
        metrics_listen: Some(address),
        traces: TraceOptions {
            otlp_endpoint: Some(endpoint.to_owned()),
            sample_one_in: 1,
        },
    });
    let mut setup = Setup {
        invitation_shows,
        connection_shows,
        ..Setup::default()
    };
    setup.invitation_policy.weekly_cap = 6;
    (Pair::with(setup).await, addresses)
}

/// In a process of its own, whose log and traces the other one reads.
async fn notes_of_every_kind_live_and_die(format: &str, endpoint: &str) {
    init(&LogOptions {
        filter: "trace".to_owned(),
        format: match format {
            "json" => LogFormat::Json,
            _ => LogFormat::Human,
        },
    });
    core_dump::forbid();
    let (mut pair, addresses) = shown(endpoint).await;
    let mut watch = Watch::of(&pair, &member("bob")).await;
    let sent = async |pair: &Pair, inviter: &str, invitee: &str| {
        let sent = pair.send_with(noted(inviter, invitee, "")).await.unwrap();
        sent.invitation.unwrap().invitation_id
    };
    let bob = sent(&pair, "ann", "bob").await;
    watch.next().await;
    let (cat, dan) = (
        sent(&pair, "ann", "cat").await,
        sent(&pair, "ann", "dan").await,
    );
    let eve = sent(&pair, "ann", "eve").await;
    let (fay, gil) = (
        sent(&pair, "ann", "fay").await,
        sent(&pair, "ann", "gil").await,
    );
    let mut errors = refused(&pair).await;
    crossed(&pair).await;
    listed(&pair, &mut errors).await;
    answered(&pair, [&bob, &cat, &dan]).await;
    many(&pair, &fay, &gil).await;
    errors.extend(noted_about(&pair).await);
    pair.block(&member("gus"), &member("ann")).await.unwrap();
    erase(&pair, &member("eve")).await;
    errors.push(format!(
        "{:?}",
        pair.get(&member("ann"), &eve).await.unwrap_err()
    ));
    malformed(&pair, &mut errors).await;
    let mut pages = figures(addresses).await;
    damaged(&mut pair, &mut errors).await;
    for error in errors {
        assert!(!error.contains(MARK) && !error.contains(SOURCE), "{error}");
    }
    pair.advance(Span::days(200));
    pages += &figures(addresses).await;
    fs::write(FIGURES, pages).unwrap();
    pair.stop().await;
    let panicked = std::thread::spawn(|| panic!("{MARK} {MEMBER}"));
    assert!(panicked.join().is_err());
    eprintln!("{LOGGED}");
    std::process::abort();
}

async fn figures(addresses: [SocketAddr; 2]) -> String {
    let [invitation, connection] = addresses;
    scrape(invitation).await + &scrape(connection).await
}

/// Sends that are refused, by rules and for their form.
async fn refused(pair: &Pair) -> Vec<String> {
    let mut errors = Vec::new();
    for (inviter, invitee, note) in [
        ("ann", "ann", ""),
        ("ann", "bob", ""),
        ("ann", "hal", ""),
        ("gus", "bob", "\t."),
        ("gus", "bob", "\u{202e}."),
        ("gus", "bob", &"x".repeat(300)),
        ("gus", "bob", &"x".repeat(2 << 20)),
    ] {
        let refused = pair.send_with(noted(inviter, invitee, note)).await;
        errors.push(format!("{:?}", refused.unwrap_err()));
    }
    errors
}

async fn crossed(pair: &Pair) {
    pair.send_with(noted("ida", "jon", "")).await.unwrap();
    let connected = pair.send_with(noted("jon", "ida", "")).await.unwrap();
    assert!(connected.invitation.is_some(), "{connected:?}");
    pair.remove(&member("ida"), &member("jon")).await.unwrap();
}

/// Cards, and lists that look at them.
async fn listed(pair: &Pair, errors: &mut Vec<String>) {
    pair.connect(&member("olga"), &member("pia")).await;
    let card = |headline: &str| PutMemberRequest {
        member_id: member("pia"),
        first_name: MARK.to_owned(),
        last_name: format!("{MARK}by"),
        headline: format!("{MARK}{headline}"),
    };
    let mut members = pair.members.clone();
    members.put_member(card("head")).await.unwrap();
    let refused = members.put_member(card("\t.")).await.unwrap_err();
    errors.push(format!("{refused:?}"));
    let search = |query: &str| ListConnectionsRequest {
        member_id: member("olga"),
        query: format!("{MARK}{query}"),
        order: ConnectionOrder::LastName.into(),
        with_cards: true,
        ..Default::default()
    };
    let mut lists = pair.connections.clone();
    let found = lists.list_connections(search("")).await.unwrap();
    let found = found.into_inner().connections;
    assert!(
        found[0]
            .card
            .as_ref()
            .is_some_and(|card| card.first_name == MARK)
    );
    let refused = lists.list_connections(search("\u{202e}")).await;
    errors.push(format!("{:?}", refused.unwrap_err()));
}

async fn answered(pair: &Pair, [bob, cat, dan]: [&str; 3]) {
    let received = pair.list(&member("bob"), InvitationBox::Received).await;
    assert!(received[0].note.contains(MARK));
    pair.accept(&member("bob"), bob).await.unwrap();
    let decline = async |reason| pair.decline(&member("cat"), cat, reason).await.unwrap();
    decline(DeclineReason::NotNow).await;
    pair.undo(&member("cat"), cat).await.unwrap();
    decline(DeclineReason::Spam).await;
    pair.block(&member("mia"), &member("ned")).await.unwrap();
    let masked = pair.send_with(noted("ned", "mia", "")).await;
    assert_eq!(reason(masked), "RECIPIENT_UNAVAILABLE");
    pair.withdraw(&member("ann"), dan).await.unwrap();
}

async fn many(pair: &Pair, fay: &str, gil: &str) {
    let named = |id: &str| InvitationIds {
        invitation_ids: vec![id.to_owned()],
    };
    let mut client = pair.invitations.clone();
    let accept = BatchAcceptInvitationsRequest {
        member_id: member("fay"),
        selection: Some(accept::Selection::InvitationIds(named(fay))),
        dry_run: false,
    };
    client.batch_accept_invitations(accept).await.unwrap();
    let withdraw = BatchWithdrawInvitationsRequest {
        member_id: member("ann"),
        selection: Some(withdraw::Selection::InvitationIds(named(gil))),
        dry_run: false,
    };
    client.batch_withdraw_invitations(withdraw).await.unwrap();
    let seen = MarkInvitationsSeenRequest {
        member_id: member("gil"),
        seen_until: Some(prost_types::Timestamp::default()),
    };
    client.mark_invitations_seen(seen).await.unwrap();
}

/// What a member notes about a connection: labels and a note, given, refused, renamed, deleted.
async fn noted_about(pair: &Pair) -> Vec<String> {
    let (ann, bob) = (member("ann"), member("bob"));
    let marked = |rest: &str| format!("{MARK}{rest}");
    let (label, note) = (marked("1"), marked(" met in Lyon"));
    let noted = pair.note(&ann, &bob, &[&label], Some(&note)).await.unwrap();
    assert_eq!((&noted.labels[0], &noted.private_note), (&label, &note));
    let mut errors = Vec::new();
    for (label, note) in [
        ("\t.", ""),
        ("1", "\t."),
        (&*"x".repeat(50), ""),
        ("1", &*"x".repeat(2_000)),
    ] {
        let refused = pair
            .note(&ann, &bob, &[&marked(label)], Some(&marked(note)))
            .await;
        errors.push(format!("{:?}", refused.unwrap_err()));
    }
    let stranger = pair
        .note(&ann, &member("gus"), &[&label], Some(&note))
        .await;
    assert_eq!(reason(stranger), "CONNECTION_NOT_FOUND");
    pair.note(&ann, &bob, &[&label, &marked("2")], None)
        .await
        .unwrap();
    let exists = pair.rename_label(&ann, &label, &marked("2")).await;
    errors.push(format!("{:?}", exists.unwrap_err()));
    pair.rename_label(&ann, &label, &marked("3")).await.unwrap();
    assert_eq!(pair.noted(&ann, &marked("3")).await.len(), 1);
    assert!(
        pair.labels(&ann)
            .await
            .iter()
            .all(|(label, _)| label.contains(MARK))
    );
    pair.delete_label(&ann, &marked("3")).await.unwrap();
    errors
}

/// As clients send them that do not keep to the format.
async fn malformed(pair: &Pair, errors: &mut Vec<String>) {
    let wire = Wire::to(pair).await;
    for message in [
        MARK.as_bytes(),
        &[b"\x1a\xff\xff\xff\x0f", MARK.as_bytes()].concat(),
    ] {
        let answer = wire.call_with("SendInvitation", message, &[]).await;
        errors.push(format!("{:?}", answer.refusal().unwrap()));
    }
}

/// A note in a row that cannot be read.
async fn damaged(pair: &mut Pair, errors: &mut Vec<String>) {
    let sent = pair.send_with(noted("kim", "leo", "")).await.unwrap();
    let id = sent.invitation.unwrap().invitation_id;
    pair.stop_invitation_service().await;
    let conn = rusqlite::Connection::open(pair.invitation_file()).unwrap();
    let damage = "update of_member set c3 = 99 where kind between 0 and 5 and member in (?1, ?2)";
    let damaged = conn.execute(damage, [member("kim"), member("leo")]);
    assert_eq!(damaged.unwrap(), 2);
    drop(conn);
    pair.start_invitation_service().await;
    let unreadable = eventually("the service is there again", || async {
        let unreadable = pair.get(&member("leo"), &id).await.unwrap_err();
        (unreadable.code() == tonic::Code::Internal).then_some(unreadable)
    })
    .await;
    errors.push(format!("{unreadable:?}"));
    assert_eq!(reason::<()>(Err(unreadable)), "INTERNAL");
}

/// Runs the life of notes in a process of its own, in `folder`.
fn lived(format: &str, endpoint: &str, folder: &Path) -> Output {
    let own = std::env::current_exe().unwrap();
    Command::new(own)
        .args(["--exact", "privacy::canary::a_note_leaves_no_trace"])
        .arg("--nocapture")
        .env(INNER, format!("{format} {endpoint}"))
        .env("RUST_BACKTRACE", "full")
        .current_dir(folder)
        .output()
        .unwrap()
}

/// Whatever of notes, sources, cards and members is in `text`, folded or not.
fn found_in(text: &str) -> Vec<&str> {
    let secrets = [MARK, SOURCE, MEMBER].map(str::to_lowercase);
    let lines = text.lines();
    let told = lines.filter(|line| {
        let line = line.to_lowercase();
        secrets.iter().any(|secret| line.contains(secret))
    });
    told.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_leaves_no_trace() {
    if let Ok(inner) = std::env::var(INNER) {
        let (format, endpoint) = inner.split_once(' ').unwrap();
        return notes_of_every_kind_live_and_die(format, endpoint).await;
    }
    for (format, of_a_request) in [
        ("human", " DEBUG acquaint::request: "),
        ("json", "\"target\":\"acquaint::request\""),
    ] {
        let collector = Collector::start().await;
        let folder = tempfile::tempdir().unwrap();
        let (endpoint, path) = (collector.endpoint.clone(), folder.path().to_owned());
        let lived = tokio::task::spawn_blocking(move || lived(format, &endpoint, &path));
        let lived = lived.await.unwrap();
        let log = String::from_utf8_lossy(&lived.stderr);
        let tail: Vec<_> = log.lines().rev().take(30).collect();
        assert_eq!(lived.status.signal(), Some(6), "{tail:#?}");
        // It is all there to be looked at,
        for told in [
            LOGGED,
            of_a_request,
            "InvitationService/BatchAcceptInvitations",
            "RECIPIENT_UNAVAILABLE",
            "local",
            "the store is corrupt",
            "panicked",
            "canary.rs:",
        ] {
            assert!(log.contains(told), "{told}: {tail:#?}");
        }
        let figures = fs::read_to_string(folder.path().join(FIGURES)).unwrap();
        assert!(figures.contains("RECIPIENT_UNAVAILABLE"), "{figures}");
        let spans = collector.spans();
        let named = |name| spans.iter().any(|span| span.name.ends_with(name));
        assert!(named("/SendInvitation") && named("/EnsureConnection"));
        // and nothing of them is in it.
        assert_eq!(found_in(&log), [""; 0]);
        assert_eq!(found_in(&String::from_utf8_lossy(&lived.stdout)), [""; 0]);
        assert_eq!(found_in(&figures), [""; 0]);
        assert_eq!(found_in(&format!("{:#?}", collector.requests())), [""; 0]);
        let left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|file| file.unwrap().file_name())
            .collect();
        assert_eq!(left, [FIGURES], "no memory image is left");
    }
}

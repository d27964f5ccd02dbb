//! Notes are in no line of the log, at any level, and in no error.

use std::process::Command;

use acquaint_proto::invitation::v1::{DeclineReason, InvitationBox, SendInvitationRequest};
use acquaint_tests::{
    pair::{Pair, Setup},
    refusal::reason,
    wait::eventually,
};
use service_kit::{
    telemetry::{LogFormat, LogOptions, init},
    time::Span,
};

use super::{Watch, erase};
use crate::wire::Wire;

/// The beginning of every note here.
const MARK: &str = "ThisIsTheSecretOfAnnAndBob";
/// Set for the process whose log is looked at.
const INNER: &str = "ACQUAINT_TEST_LOGGED";
/// The last line of the process whose log is looked at.
const LOGGED: &str = "the life of notes ends here";

fn noted(inviter: &str, invitee: &str, note: &str) -> SendInvitationRequest {
    SendInvitationRequest {
        inviter_id: inviter.to_owned(),
        invitee_id: invitee.to_owned(),
        note: format!("{MARK}{note}"),
        ..Default::default()
    }
}

/// In a process of its own, whose log the other one reads.
async fn notes_of_every_kind_live_and_die() {
    init(&LogOptions {
        filter: "trace".to_owned(),
        format: LogFormat::Human,
    });
    let mut setup = Setup::default();
    setup.invitation_policy.weekly_cap = 4;
    let mut pair = Pair::with(setup).await;
    let mut watch = Watch::of(&pair, "bob").await;
    let sent = async |pair: &Pair, invitee: &str| {
        let sent = pair.send_with(noted("ann", invitee, "")).await.unwrap();
        sent.invitation.unwrap().invitation_id
    };
    let (bob, cat) = (sent(&pair, "bob").await, sent(&pair, "cat").await);
    let (dan, eve) = (sent(&pair, "dan").await, sent(&pair, "eve").await);
    watch.next().await;
    let mut errors = Vec::new();
    for (inviter, invitee, note) in [
        ("ann", "ann", ""),
        ("ann", "bob", ""),
        ("ann", "fay", ""),
        ("gus", "bob", "\t."),
        ("gus", "bob", "\u{202e}."),
        ("gus", "bob", &"x".repeat(300)),
        ("gus", "bob", &"x".repeat(2 << 20)),
    ] {
        let refused = pair.send_with(noted(inviter, invitee, note)).await;
        errors.push(format!("{:?}", refused.unwrap_err()));
    }
    assert_eq!(pair.list("bob", InvitationBox::Received).await.len(), 1);
    pair.accept("bob", &bob).await.unwrap();
    pair.decline("cat", &cat, DeclineReason::Spam)
        .await
        .unwrap();
    pair.withdraw("ann", &dan).await.unwrap();
    erase(&pair, "eve").await;
    errors.push(format!("{:?}", pair.get("ann", &eve).await.unwrap_err()));
    // As clients send them that do not keep to the format.
    let wire = Wire::to(&pair).await;
    for message in [
        MARK.as_bytes(),
        &[b"\x1a\xff\xff\xff\x0f", MARK.as_bytes()].concat(),
    ] {
        let answer = wire.call_with("SendInvitation", message, &[]).await;
        errors.push(format!("{:?}", answer.refusal().unwrap()));
    }
    damaged(&mut pair, &mut errors).await;
    for error in errors {
        assert!(!error.contains(MARK), "{error}");
    }
    pair.advance(Span::days(200));
    pair.stop().await;
    eprintln!("{LOGGED}");
}

/// A note in a row that cannot be read.
async fn damaged(pair: &mut Pair, errors: &mut Vec<String>) {
    let sent = pair.send_with(noted("hal", "ida", "")).await.unwrap();
    let id = sent.invitation.unwrap().invitation_id;
    pair.stop_invitation_service().await;
    let conn = rusqlite::Connection::open(pair.invitation_file()).unwrap();
    let damage =
        "update of_member set c3 = 99 where kind between 0 and 5 and member in ('hal', 'ida')";
    assert_eq!(conn.execute(damage, []).unwrap(), 2);
    drop(conn);
    pair.start_invitation_service().await;
    let unreadable = eventually("the service is there again", || async {
        let unreadable = pair.get("ida", &id).await.unwrap_err();
        (unreadable.code() == tonic::Code::Internal).then_some(unreadable)
    })
    .await;
    errors.push(format!("{unreadable:?}"));
    assert_eq!(reason::<()>(Err(unreadable)), "INTERNAL");
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_are_in_no_log_at_any_level() {
    if std::env::var_os(INNER).is_some() {
        return notes_of_every_kind_live_and_die().await;
    }
    let own = std::env::current_exe().unwrap();
    let logged = Command::new(own)
        .args(["--exact", "privacy::log::notes_are_in_no_log_at_any_level"])
        .arg("--nocapture")
        .env(INNER, "yes")
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&logged.stderr);
    let tail: Vec<_> = log.lines().rev().take(30).collect();
    assert!(logged.status.success(), "{tail:#?}");
    assert!(
        log.contains(LOGGED) && log.contains("DEBUG acquaint::request"),
        "{tail:#?}"
    );
    assert!(
        log.contains("the store is corrupt"),
        "why a row was not read"
    );
    let with_notes: Vec<_> = log.lines().filter(|line| line.contains(MARK)).collect();
    println!("{} lines of log", log.lines().count());
    assert!(with_notes.is_empty(), "{with_notes:#?}");
}

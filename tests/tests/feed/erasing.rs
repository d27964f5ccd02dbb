//! Erasing a member: nothing of them is left in either store, and their partners' counters are exact.

use std::path::Path;

use acquaint_proto::invitation::v1::{
    DeclineReason, InvitationBox, InvitationPreferences, ListBarredInvitersRequest,
    MarkInvitationsSeenRequest, SendInvitationRequest, UpdateInvitationPreferencesRequest,
};
use acquaint_tests::{
    look::Told,
    pair::{Pair, Setup},
    refusal::reason,
    trace::rows_naming,
    wait::eventually,
    watcher::{ConnectionList, ConnectionWatcher, InvitationLists, InvitationWatcher, Scope},
};
use prost_types::FieldMask;
use service_kit::time::Span;

/// Whom the tests erase. The name is found wherever it stands, also within another text.
const ERASED: &str = "erased.member";

/// Everything that a member can have with others and on their own.
async fn a_full_life(pair: &Pair) {
    for other in ["friend-1", "friend-2"] {
        pair.connect(ERASED, other).await;
    }
    pair.connect("friend-3", ERASED).await;
    pair.connect("friend-4", ERASED).await;
    pair.remove("friend-4", ERASED).await.unwrap();
    for other in ["invited-1", "invited-2"] {
        let request = SendInvitationRequest {
            inviter_id: ERASED.to_owned(),
            invitee_id: other.to_owned(),
            note: "Hello".to_owned(),
            source: "search".to_owned(),
            request_id: format!("018f2d3c-0000-4000-8000-00000000000{}", &other[8..]),
        };
        pair.send_with(request).await.unwrap();
    }
    for other in ["inviter-1", "inviter-2", "inviter-3"] {
        pair.sent(other, ERASED).await;
    }
    let id = pair.sent("declined", ERASED).await;
    let declined = pair.decline(ERASED, &id, DeclineReason::Spam).await;
    declined.unwrap();
    let id = pair.sent(ERASED, "decliner").await;
    let declined = pair.decline("decliner", &id, DeclineReason::DontKnow).await;
    declined.unwrap();
    let id = pair.sent(ERASED, "withdrawn").await;
    pair.withdraw(ERASED, &id).await.unwrap();
    let id = pair.sent("withdrawer", ERASED).await;
    pair.withdraw("withdrawer", &id).await.unwrap();
    pair.block(ERASED, "blocked").await.unwrap();
    pair.block("blocker", ERASED).await.unwrap();
    let probe = reason(pair.send(ERASED, "blocker").await);
    assert_eq!(probe, "RECIPIENT_UNAVAILABLE");
    let mut client = pair.invitations.clone();
    let seen = MarkInvitationsSeenRequest {
        member_id: ERASED.to_owned(),
        seen_until: Some(prost_types::Timestamp {
            seconds: 4_000_000_000,
            nanos: 0,
        }),
    };
    client.mark_invitations_seen(seen).await.unwrap();
    let wish = UpdateInvitationPreferencesRequest {
        member_id: ERASED.to_owned(),
        preferences: Some(InvitationPreferences {
            auto_withdraw_after: Some(prost_types::Duration {
                seconds: 30 * 24 * 60 * 60,
                nanos: 0,
            }),
            ..Default::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["auto_withdraw_after".to_owned()],
        }),
    };
    client.update_invitation_preferences(wish).await.unwrap();
    // Their partners have others too, which stay.
    pair.connect("friend-1", "friend-2").await;
    pair.sent("friend-1", "inviter-1").await;
    pair.sent("inviter-1", "friend-3").await;
    pair.sent("friend-3", "invited-1").await;
}

const PARTNERS: [&str; 14] = [
    "friend-1",
    "friend-2",
    "friend-3",
    "friend-4",
    "invited-1",
    "invited-2",
    "inviter-1",
    "inviter-2",
    "inviter-3",
    "declined",
    "decliner",
    "withdrawn",
    "withdrawer",
    "blocked",
];

async fn erased(pair: &Pair) {
    eventually("the erasure is complete", || async {
        pair.erase(ERASED).await.then_some(())
    })
    .await;
}

/// What a partner is told after an erasure is what they were told before without whatever concerned the erased member.
fn without_the_erased(before: &Told, after: &Told) {
    let mut expected = before.clone();
    let lists = [
        &mut expected.sent,
        &mut expected.received,
        &mut expected.filtered,
    ];
    let mut gone = Vec::new();
    for list in lists {
        let was = list.len();
        list.retain(|one| one.inviter_id != ERASED && one.invitee_id != ERASED);
        gone.push(i32::try_from(was - list.len()).unwrap());
    }
    expected.counts.sent_pending -= gone[0];
    expected.quota.pending_sent -= gone[0];
    expected.counts.received_pending -= gone[1];
    expected.counts.received_unseen -= gone[1];
    expected.counts.filtered_pending -= gone[2];
    let was = expected.connected.len();
    expected.connected.retain(|other| other != ERASED);
    expected.connections -= i32::try_from(was - expected.connected.len()).unwrap();
    expected.relationship = after.relationship;
    expected.between = after.between.clone();
    assert_eq!(*after, expected);
    assert!(!after.is_connected());
    assert_eq!(after.between.invitation_id, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_leaves_no_trace_of_the_id_and_exact_counters() {
    let mut setup = Setup::default();
    setup.invitation_policy.withdraw_cooldown = Span::days(21);
    let mut pair = Pair::with(setup).await;
    a_full_life(&pair).await;
    let (invitations, connections) = (pair.invitation_file(), pair.connection_file());
    assert!(rows_naming(&invitations, &[ERASED]).len() > 20);
    assert!(rows_naming(&connections, &[ERASED]).len() > 10);
    let mut before = Vec::new();
    for partner in PARTNERS {
        before.push(Told::to(&pair, partner, ERASED).await);
    }
    erased(&pair).await;
    for file in [&invitations, &connections] {
        assert_eq!(rows_naming(file, &[ERASED]), Vec::<String>::new());
    }
    for (partner, before) in PARTNERS.iter().zip(&before) {
        without_the_erased(before, &Told::to(&pair, partner, ERASED).await);
    }
    let request = ListBarredInvitersRequest {
        member_id: "decliner".to_owned(),
        ..Default::default()
    };
    let mut client = pair.invitations.clone();
    let barred = client.list_barred_inviters(request).await.unwrap();
    assert_eq!(barred.into_inner().barred_inviters, []);
    // The id is never used again, and asking leaves no trace either.
    assert_eq!(
        reason(pair.send(ERASED, "friend-1").await),
        "MEMBER_NOT_FOUND"
    );
    assert_eq!(
        reason(pair.send("friend-1", ERASED).await),
        "RECIPIENT_UNAVAILABLE"
    );
    pair.block("friend-1", ERASED).await.unwrap();
    pair.remove("friend-1", ERASED).await.unwrap();
    assert!(pair.erase(ERASED).await, "said again");
    for file in [&invitations, &connections] {
        assert_eq!(rows_naming(file, &[ERASED]), Vec::<String>::new());
    }
    // Nor is it left in pages that no table uses any more.
    pair.stop_invitation_service().await;
    pair.stop_connection_service().await;
    for file in [&invitations, &connections] {
        assert!(!bytes_contain(file, ERASED), "{}", file.display());
    }
}

/// Whether a file has these bytes anywhere.
fn bytes_contain(file: &Path, name: &str) -> bool {
    let bytes = std::fs::read(file).unwrap();
    bytes
        .windows(name.len())
        .any(|window| window == name.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_is_complete_only_when_invitation_service_has_done_its_half() {
    let mut pair = Pair::start().await;
    a_full_life(&pair).await;
    pair.stop_invitation_service().await;
    assert!(!pair.erase(ERASED).await);
    assert!(!pair.erase(ERASED).await);
    assert_eq!(reason(pair.block(ERASED, "x").await), "MEMBER_NOT_FOUND");
    pair.start_invitation_service().await;
    erased(&pair).await;
    for file in [pair.invitation_file(), pair.connection_file()] {
        assert_eq!(rows_naming(&file, &[ERASED]), Vec::<String>::new());
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn partners_watches_tell_only_that_something_is_gone() {
    let pair = Pair::start().await;
    a_full_life(&pair).await;
    let mut watched = Vec::new();
    for partner in PARTNERS {
        let lists = InvitationLists::of(&pair, partner).await;
        let watcher = InvitationWatcher::now(&pair, Scope::member(partner)).await;
        let connections = ConnectionList::of(&pair, partner).await;
        let scope = Scope::member(partner);
        let connection_watcher = ConnectionWatcher::now(&pair, scope).await;
        watched.push((partner, lists, watcher, connections, connection_watcher));
    }
    erased(&pair).await;
    for (partner, mut lists, mut watcher, mut connections, mut connection_watcher) in watched {
        let now = InvitationLists::of(&pair, partner).await;
        while lists != now {
            let message = watcher.next().await.unwrap();
            assert!(!format!("{message:?}").contains(ERASED), "{message:?}");
            assert_eq!(lists.fold(&message), None);
        }
        let now = ConnectionList::of(&pair, partner).await;
        while connections != now {
            let message = connection_watcher.next().await.unwrap();
            assert_eq!(connections.fold(&message), None);
        }
    }
    let sent = pair.list("friend-1", InvitationBox::Sent).await;
    assert_eq!(sent.len(), 1);
    pair.stop().await;
}

//! When several reasons apply, the first of the contract's table is answered.
//!
//! One invitation that everything stands against: each cause is taken away in its turn, and the next one, which stood all along, is
//! answered. Deliberately absent: pairs of reasons that cannot hold at once, such as a connection and a block.

use acquaint_proto::invitation::v1::{SendInvitationRequest, SendOutcome};
use acquaint_tests::{
    pair::{Pair, Setup},
    refusal::{Refusal, reason},
    wait::eventually,
};
use service_kit::{clock::Clock as _, time::Span};

use crate::{
    privacy::close,
    standing::{lift, restrict},
};

const USED: &str = "0198c0de-0000-7000-8000-000000000000";

/// What ann may ask in these tests.
fn to(invitee: &str, note: &str, request_id: &str) -> SendInvitationRequest {
    SendInvitationRequest {
        inviter_id: "ann".to_owned(),
        invitee_id: invitee.to_owned(),
        note: note.to_owned(),
        request_id: request_id.to_owned(),
        ..Default::default()
    }
}

/// Ann, with everything that can stand against a sending; and both services with limits that she has reached.
async fn ann_with_everything_against_her() -> Pair {
    let mut setup = Setup::default();
    setup.invitation_policy.withdraw_cooldown = Span::days(3);
    setup.invitation_policy.probe_window = Span::days(60);
    let mut pair = Pair::with(setup).await;
    let id = pair.sent("ann", "bob").await;
    pair.withdraw("ann", &id).await.unwrap();
    pair.send_with(to("cat", "", USED)).await.unwrap();
    pair.connect("dan", "ann").await;
    pair.connect("fay", "eve").await;
    pair.sent("eve", "ann").await;
    close(&pair, "gus").await;
    let closed = pair.send("ann", "gus").await;
    assert_eq!(reason(closed), "RECIPIENT_UNAVAILABLE");
    pair.block("ann", "bob").await.unwrap();
    pair.block("bob", "ann").await.unwrap();
    pair.change(|setup| {
        let policy = &mut setup.invitation_policy;
        policy.weekly_cap = 2;
        policy.pending_sent_max = 1;
        policy.connections_max = 1;
        policy.probe_refusals_max = 1;
        setup.connection_policy.connections_max = 1;
    });
    pair.stop_invitation_service().await;
    pair.stop_connection_service().await;
    pair.start_connection_service().await;
    pair.start_invitation_service().await;
    // Every fact is there from before; a live answer says whether the service is.
    eventually("connection-service answers again", || async {
        pair.unblock("ann", "nobody").await.ok()
    })
    .await;
    pair
}

/// Why ann's invitation to bob is refused, if it is.
async fn stands(pair: &Pair, expected: &str) {
    assert_eq!(reason(pair.send("ann", "bob").await), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_told_in_the_order_of_the_contract() {
    let pair = ann_with_everything_against_her().await;
    stands(&pair, "MEMBER_BLOCKED_BY_YOU").await;
    pair.unblock("ann", "bob").await.unwrap();
    stands(&pair, "RESEND_COOLDOWN").await;
    let four_days = pair.clock.now().plus(Span::days(4));
    restrict(&pair, "ann", four_days).await;
    pair.advance(Span::days(3));
    stands(&pair, "SENDER_RESTRICTED").await;
    lift(&pair, "ann").await;
    stands(&pair, "WEEKLY_CAP_REACHED").await;
    pair.advance(Span::days(4));
    stands(&pair, "PENDING_CAP_REACHED").await;
    let pending = pair.send("ann", "cat").await.unwrap_err();
    let pending = Refusal::of(&pending);
    assert_eq!(pending.reason, "INVITATION_PENDING");
    let id = pending.metadata["invitation_id"].clone();
    pair.withdraw("ann", &id).await.unwrap();
    stands(&pair, "CONNECTION_LIMIT_REACHED").await;
    pair.remove("ann", "dan").await.unwrap();
    eventually("the removal is known", || async {
        let why = reason(pair.send("ann", "bob").await);
        (why != "CONNECTION_LIMIT_REACHED").then_some(())
    })
    .await;
    stands(&pair, "PROBE_LIMIT_REACHED").await;
    pair.advance(Span::days(60));
    stands(&pair, "RECIPIENT_UNAVAILABLE").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_request_and_the_pair_say_comes_before_every_limit() {
    let pair = ann_with_everything_against_her().await;
    let send = |request| async { reason(pair.send_with(request).await) };
    assert_eq!(send(to("ann", "a\tb", USED)).await, "INVALID_FIELD");
    assert_eq!(send(to("ann", "", USED)).await, "REQUEST_ID_REUSED");
    assert_eq!(send(to("ann", "", "")).await, "SELF_REFERENCE");
    for (invitee, then) in [
        ("dan", "ALREADY_CONNECTED"),
        ("bob", "MEMBER_BLOCKED_BY_YOU"),
        ("gus", "WEEKLY_CAP_REACHED"),
    ] {
        assert_eq!(send(to(invitee, "", USED)).await, "REQUEST_ID_REUSED");
        assert_eq!(send(to(invitee, "", "")).await, then);
    }
    assert_eq!(
        send(to("cat", "another note", USED)).await,
        "REQUEST_ID_REUSED"
    );
    assert_eq!(send(to("cat", "", "")).await, "INVITATION_PENDING");
    let repeated = pair.send_with(to("cat", "", USED)).await.unwrap();
    assert_eq!(
        repeated.outcome(),
        SendOutcome::Sent,
        "a repeat is no new sending"
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossing_meets_connection_limits_alone_and_ones_own_first() {
    let pair = ann_with_everything_against_her().await;
    // Eve's invitation to ann is unanswered, and both are full.
    assert_eq!(
        reason(pair.send("ann", "eve").await),
        "CONNECTION_LIMIT_REACHED"
    );
    pair.remove("ann", "dan").await.unwrap();
    let inviters = reason(pair.send("ann", "eve").await);
    assert_eq!(inviters, "INVITER_CONNECTION_LIMIT_REACHED");
    pair.remove("eve", "fay").await.unwrap();
    let crossed = pair.send("ann", "eve").await.unwrap();
    assert_eq!(crossed.outcome(), SendOutcome::Connected);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erased_member_is_told_so_before_anything_of_the_pair() {
    let pair = Pair::start().await;
    pair.connect("ann", "bob").await;
    eventually("the erasure is complete", || async {
        pair.erase("ann").await.then_some(())
    })
    .await;
    assert_eq!(
        reason(pair.send_with(to("bob", "a\tb", "")).await),
        "INVALID_FIELD"
    );
    assert_eq!(reason(pair.send("ann", "ann").await), "MEMBER_NOT_FOUND");
    assert_eq!(reason(pair.send("ann", "bob").await), "MEMBER_NOT_FOUND");
    pair.stop().await;
}

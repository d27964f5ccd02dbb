//! The weekly cap, the limit on probing, and the memory of requests: rolling, and exact.

use std::time::Duration;

use acquaint_proto::invitation::v1::{
    InvitationPreferences, SendInvitationRequest, SendOutcome, UpdateInvitationPreferencesRequest,
    WhoCanInvite,
};
use acquaint_tests::{
    pair::{Pair, START, Setup},
    refusal::{Refusal, reason},
};
use prost_types::FieldMask;
use service_kit::time::Span;
use tonic::Code;

use crate::clock::{TICK, now, time, without_sweeper};

const WEEK: Span = Span::days(7);
const DAY: Span = Span::hours(24);

async fn with_cap(weekly_cap: u32) -> Pair {
    let mut setup = Setup::default();
    setup.invitation_policy.weekly_cap = weekly_cap;
    Pair::with(setup).await
}

async fn refused(pair: &Pair, inviter: &str, invitee: &str) -> Refusal {
    Refusal::of(&pair.send(inviter, invitee).await.expect_err("a refusal"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_under_the_weekly_cap_is_free_again_at_the_time_that_was_told() {
    let pair = with_cap(2).await;
    let first = pair.sent("ann", "bob").await;
    pair.advance(Span::hours(1));
    pair.sent("ann", "cyd").await;
    // A withdrawal gives no place back.
    pair.withdraw("ann", &first).await.unwrap();
    let refusal = refused(&pair, "ann", "dan").await;
    assert_eq!(refusal.code, Code::ResourceExhausted);
    assert_eq!(refusal.reason, "WEEKLY_CAP_REACHED");
    assert_eq!(refusal.metadata["weekly_cap"], "2");
    assert_eq!(refusal.metadata["used"], "2");
    assert_eq!(refusal.metadata["next_place_time"], "2026-01-08T00:00:00Z");
    let wait = (WEEK.as_millis() - Span::hours(1).as_millis()).unsigned_abs();
    assert_eq!(refusal.retry_after, Some(Duration::from_millis(wait)));
    let quota = pair.quota("ann").await;
    let next = START.plus(WEEK);
    assert_eq!((quota.used, quota.remaining), (2, 0));
    assert_eq!(time(quota.next_place_time), next);

    pair.clock.set(next.minus(TICK));
    let refusal = refused(&pair, "ann", "dan").await;
    assert_eq!(refusal.reason, "WEEKLY_CAP_REACHED");
    assert_eq!(
        refusal.retry_after,
        Some(Duration::from_secs(1)),
        "rounded up"
    );
    pair.clock.set(next);
    let quota = pair.quota("ann").await;
    assert_eq!((quota.used, quota.remaining), (1, 1));
    assert_eq!(quota.next_place_time, None);
    pair.sent("ann", "dan").await;

    let refusal = refused(&pair, "ann", "eve").await;
    assert_eq!(
        refusal.metadata["next_place_time"], "2026-01-08T01:00:00Z",
        "rolling, not a calendar week"
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_the_next_place_is_rounded_up_but_the_place_is_free_to_the_millisecond() {
    let pair = with_cap(1).await;
    pair.advance(Span::millis(137));
    let charged = now(&pair);
    pair.sent("ann", "bob").await;
    pair.sent("cyd", "bob").await;
    let refusal = refused(&pair, "ann", "dan").await;
    assert_eq!(refusal.metadata["next_place_time"], "2026-01-08T00:00:01Z");
    pair.clock.set(charged.plus(WEEK).minus(TICK));
    assert_eq!(
        refused(&pair, "ann", "dan").await.reason,
        "WEEKLY_CAP_REACHED"
    );
    pair.clock.set(charged.plus(WEEK));
    pair.sent("ann", "dan").await;
    pair.clock.set(START.plus(WEEK).plus(Span::seconds(1)));
    pair.sent("cyd", "dan").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_masked_refusals_in_a_day_stop_every_invitation() {
    let mut setup = Setup::default();
    setup.invitation_policy.probe_refusals_max = 3;
    let pair = Pair::with(setup).await;
    closed_to_invitations(&pair, "bob").await;
    for _ in 0..3 {
        assert_eq!(
            reason(pair.send("ann", "bob").await),
            "RECIPIENT_UNAVAILABLE"
        );
        pair.advance(Span::hours(1));
    }
    for invitee in ["bob", "cyd"] {
        let refusal = refused(&pair, "ann", invitee).await;
        assert_eq!(refusal.code, Code::ResourceExhausted);
        assert_eq!(refusal.reason, "PROBE_LIMIT_REACHED");
        assert_eq!(refusal.retry_after, Some(Duration::from_hours(21)));
        assert!(refusal.metadata.is_empty(), "{refusal:?}");
    }
    // An acceptance of what the other sent is not held up.
    pair.sent("dan", "ann").await;
    let crossed = pair.send("ann", "dan").await.unwrap();
    assert_eq!(crossed.outcome(), SendOutcome::Connected);
    assert_eq!(pair.quota("ann").await.used, 0, "nothing was charged");

    pair.clock.set(START.plus(DAY).minus(TICK));
    assert_eq!(
        refused(&pair, "ann", "cyd").await.reason,
        "PROBE_LIMIT_REACHED"
    );
    pair.clock.set(START.plus(DAY));
    pair.sent("ann", "cyd").await;
    assert_eq!(
        reason(pair.send("ann", "bob").await),
        "RECIPIENT_UNAVAILABLE"
    );
    assert_eq!(
        refused(&pair, "ann", "eve").await.reason,
        "PROBE_LIMIT_REACHED",
        "two and a new one in the last 24 hours"
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_masked_refusals_are_allowed_in_a_day() {
    let pair = Pair::start().await;
    closed_to_invitations(&pair, "bob").await;
    for _ in 0..30 {
        assert_eq!(
            reason(pair.send("ann", "bob").await),
            "RECIPIENT_UNAVAILABLE"
        );
    }
    assert_eq!(
        refused(&pair, "ann", "cyd").await.reason,
        "PROBE_LIMIT_REACHED"
    );
    pair.stop().await;
}

async fn closed_to_invitations(pair: &Pair, member: &str) {
    let request = UpdateInvitationPreferencesRequest {
        member_id: member.to_owned(),
        preferences: Some(InvitationPreferences {
            who_can_invite: WhoCanInvite::Nobody.into(),
            auto_withdraw_after: None,
        }),
        update_mask: Some(FieldMask {
            paths: vec!["who_can_invite".to_owned()],
        }),
    };
    let mut client = pair.invitations.clone();
    client.update_invitation_preferences(request).await.unwrap();
}

fn request(invitee: &str, note: &str) -> SendInvitationRequest {
    SendInvitationRequest {
        inviter_id: "ann".to_owned(),
        invitee_id: invitee.to_owned(),
        note: note.to_owned(),
        request_id: "018f2d3c-0000-4000-8000-000000000001".to_owned(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_remembered_for_24_hours_and_not_a_millisecond_longer() {
    // With a sweeper and without: what it has not deleted is forgotten all the same.
    for setup in [Setup::default(), without_sweeper()] {
        let pair = Pair::with(setup).await;
        let first = pair.send_with(request("bob", "Hello")).await.unwrap();
        let id = first.invitation.as_ref().unwrap().invitation_id.clone();
        pair.withdraw("ann", &id).await.unwrap();
        pair.clock.set(START.plus(DAY).minus(TICK));
        assert_eq!(
            pair.send_with(request("bob", "Hello")).await.unwrap(),
            first,
            "the same answer, though things have moved on"
        );
        for other in [request("cyd", "Hello"), request("bob", "Good day")] {
            let refused = pair.send_with(other).await.expect_err("a refusal");
            let refusal = Refusal::of(&refused);
            assert_eq!(refusal.code, Code::InvalidArgument);
            assert_eq!(refusal.reason, "REQUEST_ID_REUSED");
        }
        assert_eq!(pair.quota("ann").await.used, 1);
        pair.clock.set(START.plus(DAY));
        let second = pair.send_with(request("cyd", "Hello")).await.unwrap();
        assert_eq!(second.outcome(), SendOutcome::Sent);
        assert_eq!(pair.quota("ann").await.used, 2);
        assert_eq!(
            reason(pair.send_with(request("bob", "Hello")).await),
            "REQUEST_ID_REUSED",
            "it stands for the second now"
        );
        pair.stop().await;
    }
}

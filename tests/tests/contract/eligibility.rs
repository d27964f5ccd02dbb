//! Whom a member could invite: what is told is what a sending is then refused with.

use acquaint_proto::{
    error::v1::ErrorReason,
    invitation::v1::{CheckEligibilityRequest, Eligibility},
};
use acquaint_tests::{
    pair::{Pair, Setup},
    refusal::Refusal,
    wait::eventually,
};
use invitation_service::domain::standing::Mode;
use prost_types::Timestamp;
use service_kit::{clock::Clock as _, time::Span};
use tonic::Status;

use crate::standing::restrict;

async fn check(pair: &Pair, inviter: &str, invitees: &[&str]) -> Result<Vec<Eligibility>, Status> {
    let request = CheckEligibilityRequest {
        inviter_id: inviter.to_owned(),
        invitee_ids: invitees.iter().map(ToString::to_string).collect(),
    };
    let answer = pair.invitations.clone().check_eligibility(request).await;
    Ok(answer?.into_inner().eligibilities)
}

async fn check_one(pair: &Pair, inviter: &str, invitee: &str) -> Eligibility {
    let [one] = check(pair, inviter, &[invitee])
        .await
        .unwrap()
        .try_into()
        .unwrap();
    one
}

fn eligible(invitee: &str) -> Eligibility {
    Eligibility {
        invitee_id: invitee.to_owned(),
        eligible: true,
        reason: ErrorReason::Unspecified.into(),
        retry_time: None,
    }
}

fn after(pair: &Pair, span: Span) -> Timestamp {
    let millis = pair.clock.now().plus(span).millis();
    Timestamp {
        seconds: millis.div_euclid(1_000),
        nanos: i32::try_from(millis.rem_euclid(1_000)).unwrap() * 1_000_000,
    }
}

/// What is told is this, and a sending then is refused with the same.
async fn refused(
    pair: &Pair,
    (inviter, invitee): (&str, &str),
    reason: ErrorReason,
    retry_time: Option<Timestamp>,
) {
    let told = check_one(pair, inviter, invitee).await;
    let expected = Eligibility {
        eligible: false,
        reason: reason.into(),
        retry_time,
        ..eligible(invitee)
    };
    assert_eq!(told, expected);
    let refusal = Refusal::of(&pair.send(inviter, invitee).await.unwrap_err());
    assert_eq!(
        format!("ERROR_REASON_{}", refusal.reason),
        reason.as_str_name()
    );
    assert_eq!(refusal.retry_after.is_some(), retry_time.is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_between_two_members_is_told() {
    let pair = Pair::start().await;
    pair.connect("ann", "bob").await;
    pair.sent("ann", "cat").await;
    pair.block("ann", "dan").await.unwrap();
    eventually("the block has arrived", || async {
        (!check_one(&pair, "ann", "dan").await.eligible).then_some(())
    })
    .await;
    refused(&pair, ("ann", "ann"), ErrorReason::SelfReference, None).await;
    refused(&pair, ("ann", "bob"), ErrorReason::AlreadyConnected, None).await;
    refused(&pair, ("ann", "cat"), ErrorReason::InvitationPending, None).await;
    refused(&pair, ("ann", "dan"), ErrorReason::MemberBlockedByYou, None).await;
    assert_eq!(check_one(&pair, "ann", "eve").await, eligible("eve"));
    assert_eq!(
        check_one(&pair, "cat", "ann").await,
        eligible("ann"),
        "sending would accept"
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_told_with_the_time_at_which_they_end() {
    let mut setup = Setup::default();
    setup.invitation_policy.weekly_cap = 2;
    setup.invitation_policy.pending_sent_max = 2;
    setup.invitation_policy.withdraw_cooldown = Span::days(21);
    setup.invitation_policy.probe_refusals_max = 1;
    let pair = Pair::with(setup).await;
    let id = pair.sent("ann", "bob").await;
    pair.withdraw("ann", &id).await.unwrap();
    let cooldown = Some(after(&pair, Span::days(21)));
    refused(&pair, ("ann", "bob"), ErrorReason::ResendCooldown, cooldown).await;
    pair.sent("ann", "cat").await;
    let week = Some(after(&pair, Span::days(7)));
    refused(&pair, ("ann", "dan"), ErrorReason::WeeklyCapReached, week).await;
    pair.advance(Span::days(7));
    pair.sent("ann", "dan").await;
    refused(&pair, ("ann", "eve"), ErrorReason::PendingCapReached, None).await;
    pair.sent("eve", "ann").await;
    assert_eq!(
        check_one(&pair, "ann", "eve").await,
        eligible("eve"),
        "no cap stands against accepting"
    );
    pair.block("dan", "fay").await.unwrap();
    pair.send("fay", "dan").await.unwrap_err();
    let day = Some(after(&pair, Span::days(1)));
    refused(&pair, ("fay", "ann"), ErrorReason::ProbeLimitReached, day).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_standing_allows_is_told_as_a_sending_is_refused() {
    let pair = Pair::with(Setup::judging(Mode::Enforce)).await;
    let end = pair.clock.now().plus(Span::days(1));
    restrict(&pair, "ann", end).await;
    let day = Some(after(&pair, Span::days(1)));
    refused(&pair, ("ann", "bob"), ErrorReason::SenderRestricted, day).await;
    pair.sent("cat", "ann").await;
    assert_eq!(check_one(&pair, "ann", "cat").await, eligible("cat"));
    // The cap of NEW, which is half of what everybody may send in the end.
    for number in 0..50 {
        pair.sent("dan", &format!("invitee-{number}")).await;
    }
    let week = Some(after(&pair, Span::days(7)));
    refused(&pair, ("dan", "bob"), ErrorReason::WeeklyCapReached, week).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_limit_of_connections_stands_also_against_a_crossing() {
    let mut setup = Setup::default();
    setup.invitation_policy.connections_max = 1;
    setup.connection_policy.connections_max = 1;
    let pair = Pair::with(setup).await;
    pair.sent("cat", "ann").await;
    pair.connect("ann", "bob").await;
    for invitee in ["cat", "dan"] {
        let reason = ErrorReason::ConnectionLimitReached;
        refused(&pair, ("ann", invitee), reason, None).await;
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_answered_in_the_order_asked_for_and_nothing_is_charged() {
    let pair = Pair::start().await;
    let invitees: Vec<String> = (0..499).rev().map(|n| format!("member-{n}")).collect();
    let mut invitees: Vec<&str> = invitees.iter().map(String::as_str).collect();
    invitees.push("member-7");
    let before = pair.quota("ann").await;
    let told = check(&pair, "ann", &invitees).await.unwrap();
    let expected: Vec<_> = invitees.iter().map(|invitee| eligible(invitee)).collect();
    assert_eq!(told, expected);
    assert_eq!(before, pair.quota("ann").await);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_was_erased_could_invite_nobody() {
    let pair = Pair::start().await;
    eventually("the erasure is complete", || async {
        pair.erase("ann").await.then_some(())
    })
    .await;
    let refusal = check(&pair, "ann", &["bob"]).await.unwrap_err();
    assert_eq!(Refusal::of(&refusal).reason, "MEMBER_NOT_FOUND");
    pair.stop().await;
}

//! The one refusal for everybody who cannot be invited.

use acquaint_proto::invitation::v1::{
    CheckEligibilityRequest, CheckEligibilityResponse, CountInvitationsRequest, DeclineReason,
    GetInvitationQuotaRequest, SendInvitationRequest, WhoCanInvite,
};
use acquaint_tests::{
    pair::{Pair, Setup},
    refusal::{Refusal, reason},
};
use service_kit::time::Span;

use super::{close, erase, prefer};
use crate::wire::{Answer, Wire};

/// Why somebody cannot be invited, which nobody is told.
const WHY: [&str; 6] = [
    "barred", "declined", "blocked", "closed", "distant", "erased",
];

/// Each inviter has sent one invitation, and the invitee of the same name cannot be invited any more.
async fn unavailable() -> Pair {
    let pair = Pair::start().await;
    // Older than 21 days, so that the bar alone stands.
    let id = pair.sent("to-barred", "barred").await;
    pair.decline("barred", &id, DeclineReason::DontKnow)
        .await
        .unwrap();
    pair.advance(Span::days(22));
    let id = pair.sent("to-declined", "declined").await;
    pair.decline("declined", &id, DeclineReason::NotNow)
        .await
        .unwrap();
    pair.block("blocked", "to-blocked").await.unwrap();
    close(&pair, "closed").await;
    prefer(&pair, "distant", WhoCanInvite::SecondDegree)
        .await
        .unwrap();
    erase(&pair, "erased").await;
    pair
}

async fn send(wire: &Wire, inviter: &str, invitee: &str, note: &str) -> Answer {
    let request = SendInvitationRequest {
        inviter_id: inviter.to_owned(),
        invitee_id: invitee.to_owned(),
        note: note.to_owned(),
        ..Default::default()
    };
    wire.call("SendInvitation", &request).await
}

/// What an inviter can see of their own account.
async fn account(wire: &Wire, member: &str) -> [Answer; 2] {
    let member_id = || member.to_owned();
    let quota = GetInvitationQuotaRequest {
        member_id: member_id(),
    };
    let count = CountInvitationsRequest {
        member_id: member_id(),
    };
    [
        wire.call("GetInvitationQuota", &quota).await,
        wire.call("CountInvitations", &count).await,
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_be_invited_is_refused_in_the_same_bytes_and_charged_nothing() {
    let mut pair = unavailable().await;
    let wire = Wire::to(&pair).await;
    let answered = refused_alike(&wire).await;
    pair.stop_connection_service().await;
    let without = refused_alike(&wire).await;
    assert_eq!(
        answered, without,
        "whether connection-service can be asked or not"
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_cannot_be_invited_is_found_eligible_in_the_same_bytes() {
    let pair = unavailable().await;
    let wire = Wire::to(&pair).await;
    let mut told = Vec::new();
    for inviter in WHY.map(|why| format!("to-{why}")) {
        let request = CheckEligibilityRequest {
            inviter_id: inviter,
            invitee_ids: WHY.map(ToOwned::to_owned).into(),
        };
        told.push(wire.call("CheckEligibility", &request).await);
    }
    let answer: CheckEligibilityResponse = told[0].message();
    assert_eq!(answer.eligibilities.len(), WHY.len());
    for one in answer.eligibilities {
        assert!(one.eligible && one.reason == 0 && one.retry_time.is_none());
    }
    for other in &told {
        assert_eq!(&told[0], other);
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_masked_refusal_takes_no_place_under_the_weekly_cap() {
    let mut setup = Setup::default();
    setup.invitation_policy.weekly_cap = 1;
    let pair = Pair::with(setup).await;
    close(&pair, "closed").await;
    for _ in 0..10 {
        assert_eq!(
            reason(pair.send("ann", "closed").await),
            "RECIPIENT_UNAVAILABLE"
        );
    }
    pair.sent("ann", "bob").await;
    assert_eq!(
        reason(pair.send("ann", "closed").await),
        "WEEKLY_CAP_REACHED"
    );
    pair.stop().await;
}

/// Every inviter is refused in the same bytes; which.
async fn refused_alike(wire: &Wire) -> Answer {
    let mut refused = Vec::new();
    for why in WHY {
        let inviter = format!("to-{why}");
        let before = account(wire, &inviter).await;
        for note in ["", "hello"] {
            refused.push((why, send(wire, &inviter, why, note).await));
        }
        assert_eq!(
            before,
            account(wire, &inviter).await,
            "{why}: nothing is charged"
        );
    }
    let (_, first) = &refused[0];
    let status = first.refusal().unwrap();
    let refusal = Refusal::of(&status);
    assert_eq!(refusal.reason, "RECIPIENT_UNAVAILABLE");
    assert!(refusal.metadata.is_empty() && refusal.fields.is_empty());
    assert!(refusal.quota.is_empty() && refusal.retry_after.is_none());
    for (why, answer) in &refused {
        assert_eq!(first, answer, "{why}");
    }
    first.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_limit_does_not_tell_whom_it_met() {
    let pair = unavailable().await;
    let wire = Wire::to(&pair).await;
    // Thirty masked refusals, and then all the same for everybody, also for those who could be invited.
    for _ in 0..30 {
        let refusal = send(&wire, "ann", "closed", "").await.refusal().unwrap();
        assert_eq!(Refusal::of(&refusal).reason, "RECIPIENT_UNAVAILABLE");
    }
    let first = send(&wire, "ann", "somebody", "").await;
    let reason = Refusal::of(&first.refusal().unwrap()).reason;
    assert_eq!(reason, "PROBE_LIMIT_REACHED");
    for why in WHY {
        assert_eq!(first, send(&wire, "ann", why, "").await, "{why}");
    }
    pair.stop().await;
}

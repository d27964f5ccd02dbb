//! What remains of an invitation after its end, and for how long.

use std::time::Duration;

use acquaint_proto::invitation::v1::{
    DeclineReason, Invitation, InvitationBox, InvitationState, ListInvitationsRequest,
    SendInvitationRequest, SendOutcome,
};
use acquaint_tests::{
    pair::{Pair, START, Setup},
    refusal::{Refusal, reason},
    trace::rows_naming,
    wait::eventually,
};
use service_kit::time::Span;
use tonic::Code;

use crate::clock::{TICK, without_sweeper};

const DAY: Span = Span::hours(24);
const COOLDOWN: Span = Span::days(21);

#[tokio::test(flavor = "multi_thread")]
async fn after_a_decline_the_inviter_waits_exactly_21_days() {
    for setup in [Setup::default(), without_sweeper()] {
        let pair = Pair::with(setup).await;
        let id = pair.sent("ann", "bob").await;
        let declined = pair.decline("bob", &id, DeclineReason::NotNow).await;
        assert_eq!(declined.unwrap().state(), InvitationState::Declined);
        for at in [START, START.plus(DAY), START.plus(COOLDOWN).minus(TICK)] {
            pair.clock.set(at);
            let refused = pair.send("ann", "bob").await.expect_err("a refusal");
            let refusal = Refusal::of(&refused);
            assert_eq!(refusal.reason, "RECIPIENT_UNAVAILABLE", "{at:?}");
            assert!(refusal.metadata.is_empty() && refusal.retry_after.is_none());
        }
        pair.clock.set(START.plus(COOLDOWN));
        assert_ne!(pair.sent("ann", "bob").await, id);
        pair.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_decliner_may_invite_at_once_which_ends_the_others_waiting() {
    let pair = Pair::start().await;
    let id = pair.sent("ann", "bob").await;
    let declined = pair.decline("bob", &id, DeclineReason::NotNow).await;
    declined.unwrap();
    let other = pair.sent("bob", "ann").await;
    pair.withdraw("bob", &other).await.unwrap();
    pair.sent("ann", "bob").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_can_be_seen_and_taken_back_for_exactly_24_hours() {
    for setup in [Setup::default(), without_sweeper()] {
        let pair = Pair::with(setup).await;
        let mut ids = Vec::new();
        for inviter in ["ann", "cyd"] {
            let request = SendInvitationRequest {
                inviter_id: inviter.to_owned(),
                invitee_id: "bob".to_owned(),
                note: "Hello".to_owned(),
                ..Default::default()
            };
            let sent = pair.send_with(request).await.unwrap().invitation.unwrap();
            let id = sent.invitation_id;
            let declined = pair.decline("bob", &id, DeclineReason::Spam).await.unwrap();
            assert_eq!(declined.note, "");
            ids.push(id);
        }
        let [of_ann, of_cyd] = ids.try_into().unwrap();
        pair.clock.set(START.plus(DAY).minus(TICK));
        for id in [&of_ann, &of_cyd] {
            let seen = pair.get("bob", id).await.unwrap();
            assert_eq!(seen.state(), InvitationState::Declined);
        }
        let undone = pair.undo("bob", &of_ann).await.unwrap();
        assert_eq!(undone.state(), InvitationState::Pending);
        assert_eq!(undone.note, "", "the note stays erased");
        let listed = pair.list("ann", InvitationBox::Sent).await;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].note, "");
        pair.clock.set(START.plus(DAY));
        for answer in [
            reason(pair.undo("bob", &of_cyd).await),
            reason(pair.get("bob", &of_cyd).await),
            reason(pair.decline("bob", &of_cyd, DeclineReason::Spam).await),
            reason(pair.accept("bob", &of_cyd).await),
        ] {
            assert_eq!(answer, "INVITATION_NOT_FOUND");
        }
        assert_eq!(pair.list("bob", InvitationBox::Received).await.len(), 1);
        pair.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_withdrawal_the_cool_down_is_told_and_kept_to_the_millisecond() {
    for mut setup in [Setup::default(), without_sweeper()] {
        setup.invitation_policy.withdraw_cooldown = COOLDOWN;
        let pair = Pair::with(setup).await;
        pair.advance(Span::millis(250));
        let id = pair.sent("ann", "bob").await;
        pair.withdraw("ann", &id).await.unwrap();
        let until = START.plus(Span::millis(250)).plus(COOLDOWN);
        for (at, wait) in [
            (until.minus(COOLDOWN), Duration::from_hours(21 * 24)),
            // Rounded up.
            (until.minus(TICK), Duration::from_secs(1)),
        ] {
            pair.clock.set(at);
            let refused = pair.send("ann", "bob").await.expect_err("a refusal");
            let refusal = Refusal::of(&refused);
            assert_eq!(refusal.code, Code::FailedPrecondition);
            assert_eq!(refusal.reason, "RESEND_COOLDOWN");
            let told = refusal.metadata["retry_time"].as_str();
            assert_eq!(told, "2026-01-22T00:00:00.250Z");
            assert_eq!(refusal.retry_after, Some(wait));
        }
        // It is the inviter's own wait: others are not concerned, nor is a crossing invitation.
        let other = pair.sent("bob", "ann").await;
        pair.withdraw("bob", &other).await.unwrap();
        pair.clock.set(until);
        pair.sent("ann", "bob").await;
        pair.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossing_invitation_passes_the_cool_down_after_a_withdrawal() {
    let mut setup = Setup::default();
    setup.invitation_policy.withdraw_cooldown = COOLDOWN;
    let pair = Pair::with(setup).await;
    let id = pair.sent("ann", "bob").await;
    pair.withdraw("ann", &id).await.unwrap();
    pair.sent("bob", "ann").await;
    let crossed = pair.send("ann", "bob").await.unwrap();
    assert_eq!(crossed.outcome(), SendOutcome::Connected);
    pair.stop().await;
}

async fn sent_and_withdrawn(pair: &Pair, member: &str) -> Vec<Invitation> {
    let request = ListInvitationsRequest {
        member_id: member.to_owned(),
        r#box: InvitationBox::Sent.into(),
        include_recently_withdrawn: true,
        ..Default::default()
    };
    let mut client = pair.invitations.clone();
    let answer = client.list_invitations(request).await.unwrap();
    answer.into_inner().invitations
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawn_invitation_is_seen_for_24_hours_by_its_inviter_and_by_nobody_else() {
    for setup in [Setup::default(), without_sweeper()] {
        let pair = Pair::with(setup).await;
        let request = SendInvitationRequest {
            inviter_id: "ann".to_owned(),
            invitee_id: "bob".to_owned(),
            note: "Hello".to_owned(),
            ..Default::default()
        };
        let sent = pair.send_with(request).await.unwrap().invitation.unwrap();
        let id = sent.invitation_id;
        pair.withdraw("ann", &id).await.unwrap();
        pair.clock.set(START.plus(DAY).minus(TICK));
        let seen = sent_and_withdrawn(&pair, "ann").await;
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].state(), InvitationState::Withdrawn);
        assert_eq!(seen[0].note, "");
        assert_eq!(pair.get("ann", &id).await.unwrap(), seen[0]);
        assert_eq!(pair.withdraw("ann", &id).await.unwrap(), seen[0]);
        assert!(pair.list("ann", InvitationBox::Sent).await.is_empty());
        let other = reason(pair.get("bob", &id).await);
        assert_eq!(other, "INVITATION_NOT_FOUND");
        pair.clock.set(START.plus(DAY));
        assert_eq!(sent_and_withdrawn(&pair, "ann").await, []);
        for answer in [
            reason(pair.get("ann", &id).await),
            reason(pair.withdraw("ann", &id).await),
        ] {
            assert_eq!(answer, "INVITATION_NOT_FOUND");
        }
        pair.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_after_a_withdrawal_nothing_in_the_store_names_the_two_together() {
    let (ann, bob) = ("ann.the.inviter", "bob.the.invitee");
    let mut setup = Setup::default();
    setup.invitation_policy.withdraw_cooldown = COOLDOWN;
    let pair = Pair::with(setup).await;
    let request = SendInvitationRequest {
        inviter_id: ann.to_owned(),
        invitee_id: bob.to_owned(),
        note: "Shall we".to_owned(),
        source: "search".to_owned(),
        request_id: "018f2d3c-0000-4000-8000-000000000001".to_owned(),
    };
    let sent = pair.send_with(request).await.unwrap().invitation.unwrap();
    let file = pair.invitation_file();
    assert!(!rows_naming(&file, &[ann, bob]).is_empty());
    assert!(!rows_naming(&file, &["Shall we"]).is_empty());
    let withdrawn = pair.withdraw(ann, &sent.invitation_id).await;
    withdrawn.unwrap();
    assert_eq!(rows_naming(&file, &["Shall we"]), Vec::<String>::new());
    pair.advance(DAY);
    eventually("nothing names the two together", || async {
        rows_naming(&file, &[ann, bob]).is_empty().then_some(())
    })
    .await;
    // What stays is what the inviter alone is: a charge, and a wait that names nobody.
    assert_eq!(pair.quota(ann).await.used, 1);
    assert_eq!(reason(pair.send(ann, bob).await), "RESEND_COOLDOWN");
    assert_eq!(rows_naming(&file, &[ann, bob]), Vec::<String>::new());
    let connections = rows_naming(&pair.connection_file(), &[ann, bob]);
    assert_eq!(connections, Vec::<String>::new());
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_accepted_invitation_is_kept_for_90_days() {
    for setup in [Setup::default(), without_sweeper()] {
        let pair = Pair::with(setup).await;
        let id = pair.sent("ann", "bob").await;
        pair.accept("bob", &id).await.unwrap();
        let until = START.plus(Span::days(90));
        pair.clock.set(until.minus(TICK));
        for member in ["ann", "bob"] {
            let seen = pair.get(member, &id).await.unwrap();
            assert_eq!(seen.state(), InvitationState::Accepted);
        }
        pair.clock.set(until);
        for member in ["ann", "bob"] {
            let gone = reason(pair.get(member, &id).await);
            assert_eq!(gone, "INVITATION_NOT_FOUND");
        }
        assert_eq!(pair.connected("ann").await, ["bob"], "the connection stays");
        pair.stop().await;
    }
}

//! Two members, or two devices of one, decide about the same invitation at the same time.

use acquaint_proto::invitation::v1::{InvitationState, SendOutcome};
use acquaint_tests::{
    look::Both,
    refusal::{Refusal, reason},
    wait::eventually,
};
use tonic::Code;

use crate::rounds::{ROUNDS, Round, run, setup};

#[tokio::test(flavor = "multi_thread")]
async fn crossing_invitations_end_in_one_connection_and_one_charge() {
    run("crossing", ROUNDS, setup(), crossing).await;
}

pub(crate) async fn crossing(round: Round) {
    let (ann, bob) = round.two();
    let (one, other) = round
        .meet(
            round.device(0).send(ann.clone(), bob.clone()),
            round.device(1).send(bob.clone(), ann.clone()),
        )
        .await;
    let (one, other) = (one.unwrap(), other.unwrap());
    let outcomes = [one.outcome(), other.outcome()];
    round.note(format!("{outcomes:?}"));
    let ids = [&one, &other].map(|answer| answer.invitation.as_ref().unwrap());
    assert_eq!(ids[0].invitation_id, ids[1].invitation_id);
    let ([SendOutcome::Sent, accepted] | [accepted, SendOutcome::Sent]) = outcomes else {
        panic!("neither was first: {one:?} {other:?}");
    };
    match accepted {
        SendOutcome::Connected => {}
        SendOutcome::Accepting => {
            eventually("the two are connected", || async {
                let both = Both::of(&round.pair, &ann, &bob).await;
                (both.are_connected() && both.have_empty_lists()).then_some(())
            })
            .await;
        }
        SendOutcome::Sent | SendOutcome::Unspecified => panic!("sent twice: {one:?} {other:?}"),
    }
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert!(both.are_connected() && both.have_empty_lists(), "{both:#?}");
    let charged = outcomes.map(|outcome| i32::from(outcome == SendOutcome::Sent));
    assert_eq!([both.one.quota.used, both.other.quota.used], charged);
    let used = [one.quota.unwrap().used, other.quota.unwrap().used];
    assert_eq!(used, charged, "as each was told at once");
    for (inviter, invitee) in [(&ann, &bob), (&bob, &ann)] {
        let refused = reason(round.pair.send(inviter, invitee).await);
        assert_eq!(refused, "ALREADY_CONNECTED");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_and_an_acceptance_have_one_winner() {
    run(
        "withdraw against accept",
        ROUNDS,
        setup(),
        withdraw_or_accept,
    )
    .await;
}

pub(crate) async fn withdraw_or_accept(round: Round) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let (withdrawn, accepted) = round
        .meet(
            round.device(0).withdraw(ann.clone(), id.clone()),
            round.device(1).accept(bob.clone(), id.clone()),
        )
        .await;
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert!(both.have_empty_lists(), "{both:#?}");
    assert_eq!([both.one.quota.used, both.other.quota.used], [1, 0]);
    match (withdrawn, accepted) {
        (Ok(withdrawn), Err(refused)) => {
            round.note("withdrawn");
            assert_eq!(withdrawn.state(), InvitationState::Withdrawn);
            let refused = Refusal::of(&refused);
            assert_eq!(refused.code, Code::NotFound, "{refused:?}");
            assert_eq!(refused.reason, "INVITATION_NOT_FOUND");
            assert!(!both.are_connected(), "{both:#?}");
            assert_eq!(
                reason(round.pair.get(&bob, &id).await),
                "INVITATION_NOT_FOUND"
            );
        }
        (Err(refused), Ok(accepted)) => {
            round.note("accepted");
            let refused = Refusal::of(&refused);
            assert_eq!(refused.code, Code::FailedPrecondition, "{refused:?}");
            assert_eq!(refused.reason, "ALREADY_ACCEPTED");
            assert_eq!(
                accepted.invitation.unwrap().state(),
                InvitationState::Accepted
            );
            assert_eq!(accepted.connection.unwrap().other_id, ann);
            assert!(both.are_connected(), "{both:#?}");
        }
        (withdrawn, accepted) => panic!("not one winner: {withdrawn:?} {accepted:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_and_an_acceptance_from_two_devices_have_one_winner() {
    run("decline against accept", ROUNDS, setup(), decline_or_accept).await;
}

pub(crate) async fn decline_or_accept(round: Round) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let (declined, accepted) = round
        .meet(
            round.device(0).decline(bob.clone(), id.clone()),
            round.device(1).accept(bob.clone(), id.clone()),
        )
        .await;
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert!(both.have_empty_lists(), "{both:#?}");
    assert_eq!([both.one.quota.used, both.other.quota.used], [1, 0]);
    match (declined, accepted) {
        (Ok(declined), Err(refused)) => {
            round.note("declined");
            assert_eq!(declined.state(), InvitationState::Declined);
            let refused = Refusal::of(&refused);
            assert_eq!(refused.code, Code::FailedPrecondition, "{refused:?}");
            assert_eq!(refused.reason, "INVITATION_NOT_PENDING");
            assert!(!both.are_connected(), "{both:#?}");
            assert_eq!(
                reason(round.pair.send(&ann, &bob).await),
                "RECIPIENT_UNAVAILABLE"
            );
        }
        (Err(refused), Ok(accepted)) => {
            round.note("accepted");
            let refused = Refusal::of(&refused);
            assert_eq!(refused.code, Code::FailedPrecondition, "{refused:?}");
            assert_eq!(refused.reason, "ALREADY_ACCEPTED");
            assert!(accepted.connection.is_some(), "{accepted:?}");
            assert!(both.are_connected(), "{both:#?}");
        }
        (declined, accepted) => panic!("not one winner: {declined:?} {accepted:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_and_a_crossing_invitation_have_one_winner() {
    run(
        "withdraw against crossing",
        ROUNDS,
        setup(),
        withdraw_or_cross,
    )
    .await;
}

pub(crate) async fn withdraw_or_cross(round: Round) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let (withdrawn, sent) = round
        .meet(
            round.device(0).withdraw(ann.clone(), id.clone()),
            round.device(1).send(bob.clone(), ann.clone()),
        )
        .await;
    let sent = sent.unwrap();
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    match withdrawn {
        // The crossing came too late, so it is an invitation like any other.
        Ok(_) => {
            round.note("withdrawn");
            assert_eq!(sent.outcome(), SendOutcome::Sent);
            assert!(!both.are_connected(), "{both:#?}");
            assert_eq!([both.one.quota.used, both.other.quota.used], [1, 1]);
            assert_eq!(both.one.received, [round_trip(&round, &ann, &sent).await]);
        }
        Err(refused) => {
            round.note("crossed");
            assert_eq!(Refusal::of(&refused).reason, "ALREADY_ACCEPTED");
            assert_eq!(sent.outcome(), SendOutcome::Connected);
            assert!(both.are_connected() && both.have_empty_lists(), "{both:#?}");
            assert_eq!([both.one.quota.used, both.other.quota.used], [1, 0]);
        }
    }
}

/// What a member gets of an invitation that another was answered to have sent.
async fn round_trip(
    round: &Round,
    member: &str,
    sent: &acquaint_proto::invitation::v1::SendInvitationResponse,
) -> acquaint_proto::invitation::v1::Invitation {
    let id = &sent.invitation.as_ref().unwrap().invitation_id;
    round.pair.get(member, id).await.unwrap()
}

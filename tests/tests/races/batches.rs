//! Batches that name an invitation more than once: each naming is answered as a single call would have been.

use acquaint_proto::{
    error::v1::ErrorReason,
    invitation::v1::{
        BatchAcceptInvitationsRequest, BatchDeclineInvitationsRequest,
        BatchWithdrawInvitationsRequest, Invitation, InvitationIds, InvitationResult,
        InvitationState, batch_accept_invitations_request as accept,
        batch_decline_invitations_request as decline,
        batch_withdraw_invitations_request as withdraw, invitation_result::Outcome,
    },
};
use acquaint_tests::look::Both;
use uuid::Uuid;

use crate::rounds::{FEWER_ROUNDS, Round, run, setup};

/// An invitation that nobody has sent.
fn unknown() -> String {
    Uuid::from_u128(7).to_string()
}

/// The same two invitations over and over, and an unknown one.
fn ids(first: &str, second: &str) -> Vec<String> {
    let unknown = unknown();
    [first, second, first, &unknown, first, second, &unknown]
        .map(str::to_owned)
        .to_vec()
}

/// Checks that each naming was answered, in order, known ones alike and in this state.
fn check(named: &[String], results: &[InvitationResult], state: InvitationState) {
    let answered: Vec<_> = results.iter().map(|one| &one.invitation_id).collect();
    assert_eq!(answered, named.iter().collect::<Vec<_>>());
    for result in results {
        match result.outcome.as_ref().unwrap() {
            Outcome::Invitation(found) => {
                assert_eq!(found.invitation_id, result.invitation_id);
                assert_eq!(found.state(), state, "{result:?}");
            }
            Outcome::Status(refused) => {
                assert_eq!(refused.reason(), ErrorReason::InvitationNotFound);
                assert_eq!(result.invitation_id, unknown(), "{refused:?}");
            }
        }
        let same = |one: &&InvitationResult| one.invitation_id == result.invitation_id;
        let first = results.iter().find(same).unwrap();
        assert_eq!(first.outcome, result.outcome, "alike");
    }
}

/// What the single call for an invitation answers afterwards is what the batch has answered.
fn check_single(results: &[InvitationResult], single: Invitation) {
    let outcome = results
        .iter()
        .find(|one| one.invitation_id == single.invitation_id)
        .and_then(|one| one.outcome.clone());
    assert_eq!(outcome, Some(Outcome::Invitation(single)));
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_an_invitation_several_times_in_a_batch_accepts_it_once() {
    run("accept a batch", FEWER_ROUNDS, setup(), accept_batch).await;
}

async fn accept_batch(round: Round) {
    let [ann, bob, cyd] = round.three();
    let of_ann = round.pair.sent(&ann, &bob).await;
    let of_cyd = round.pair.sent(&cyd, &bob).await;
    let named = ids(&of_ann, &of_cyd);
    let request = BatchAcceptInvitationsRequest {
        member_id: bob.clone(),
        selection: Some(accept::Selection::InvitationIds(InvitationIds {
            invitation_ids: named.clone(),
        })),
        dry_run: false,
    };
    let mut client = round.device(0).invitations;
    let answer = client.batch_accept_invitations(request).await.unwrap();
    let answer = answer.into_inner();
    check(&named, &answer.results, InvitationState::Accepted);
    let single = round.pair.accept(&bob, &of_ann).await.unwrap();
    check_single(&answer.results, single.invitation.unwrap());
    for inviter in [&ann, &cyd] {
        let both = Both::at_rest(&round.pair, inviter, &bob).await;
        assert!(both.are_connected() && both.have_empty_lists(), "{both:#?}");
        assert_eq!([both.one.quota.used, both.other.quota.used], [1, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_an_invitation_several_times_in_a_batch_withdraws_it_once() {
    run("withdraw a batch", FEWER_ROUNDS, setup(), withdraw_batch).await;
}

async fn withdraw_batch(round: Round) {
    let [ann, bob, cyd] = round.three();
    let to_bob = round.pair.sent(&ann, &bob).await;
    let to_cyd = round.pair.sent(&ann, &cyd).await;
    let named = ids(&to_bob, &to_cyd);
    let request = BatchWithdrawInvitationsRequest {
        member_id: ann.clone(),
        selection: Some(withdraw::Selection::InvitationIds(InvitationIds {
            invitation_ids: named.clone(),
        })),
        dry_run: false,
    };
    let mut client = round.device(0).invitations;
    let answer = client.batch_withdraw_invitations(request).await.unwrap();
    let answer = answer.into_inner();
    check(&named, &answer.results, InvitationState::Withdrawn);
    check_single(
        &answer.results,
        round.pair.withdraw(&ann, &to_bob).await.unwrap(),
    );
    for invitee in [&bob, &cyd] {
        let both = Both::at_rest(&round.pair, &ann, invitee).await;
        assert!(
            !both.are_connected() && both.have_empty_lists(),
            "{both:#?}"
        );
        assert_eq!([both.one.quota.used, both.other.quota.used], [2, 0]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn declining_an_invitation_several_times_in_a_batch_declines_it_once() {
    run("decline a batch", FEWER_ROUNDS, setup(), decline_batch).await;
}

async fn decline_batch(round: Round) {
    let [ann, bob, cyd] = round.three();
    let of_ann = round.pair.sent(&ann, &bob).await;
    let of_cyd = round.pair.sent(&cyd, &bob).await;
    let named = ids(&of_ann, &of_cyd);
    let request = BatchDeclineInvitationsRequest {
        member_id: bob.clone(),
        selection: Some(decline::Selection::InvitationIds(InvitationIds {
            invitation_ids: named.clone(),
        })),
        ..Default::default()
    };
    let mut client = round.device(0).invitations;
    let answer = client.batch_decline_invitations(request).await.unwrap();
    let answer = answer.into_inner();
    check(&named, &answer.results, InvitationState::Declined);
    let reason = acquaint_proto::invitation::v1::DeclineReason::NotNow;
    check_single(
        &answer.results,
        round.pair.decline(&bob, &of_ann, reason).await.unwrap(),
    );
    for inviter in [&ann, &cyd] {
        let both = Both::at_rest(&round.pair, inviter, &bob).await;
        assert!(
            !both.are_connected() && both.have_empty_lists(),
            "{both:#?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_batches_over_the_same_invitations_have_one_winner_for_each() {
    run("batch against batch", FEWER_ROUNDS, setup(), batch_or_batch).await;
}

pub(crate) async fn batch_or_batch(round: Round) {
    let [ann, bob, cyd] = round.three();
    let of_ann = round.pair.sent(&ann, &bob).await;
    let of_cyd = round.pair.sent(&cyd, &bob).await;
    let named = InvitationIds {
        invitation_ids: vec![of_ann.clone(), of_cyd.clone()],
    };
    let accepting = BatchAcceptInvitationsRequest {
        member_id: bob.clone(),
        selection: Some(accept::Selection::InvitationIds(named.clone())),
        dry_run: false,
    };
    let declining = BatchDeclineInvitationsRequest {
        member_id: bob.clone(),
        selection: Some(decline::Selection::InvitationIds(named)),
        ..Default::default()
    };
    let (mut one, mut other) = (round.device(0).invitations, round.device(1).invitations);
    let (accepted, declined) = round
        .meet(
            async move { one.batch_accept_invitations(accepting).await },
            async move { other.batch_decline_invitations(declining).await },
        )
        .await;
    let accepted = accepted.unwrap().into_inner().results;
    let declined = declined.unwrap().into_inner().results;
    for ((inviter, accepted), declined) in [&ann, &cyd].into_iter().zip(accepted).zip(declined) {
        let both = Both::at_rest(&round.pair, inviter, &bob).await;
        assert!(both.have_empty_lists(), "{both:#?}");
        match (accepted.outcome.unwrap(), declined.outcome.unwrap()) {
            (Outcome::Invitation(_), Outcome::Status(refused)) => {
                round.note("accepted");
                assert_eq!(refused.reason(), ErrorReason::AlreadyAccepted);
                assert!(both.are_connected(), "{both:#?}");
            }
            (Outcome::Status(refused), Outcome::Invitation(_)) => {
                round.note("declined");
                assert_eq!(refused.reason(), ErrorReason::InvitationNotPending);
                assert!(!both.are_connected(), "{both:#?}");
            }
            (accepted, declined) => panic!("not one winner: {accepted:?} {declined:?}"),
        }
    }
}

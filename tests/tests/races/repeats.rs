//! The same call twice at once, as by a double click: both are answered the same, and it counts once.

use acquaint_proto::invitation::v1::{InvitationState, SendInvitationRequest, SendOutcome};
use acquaint_tests::{look::Both, refusal::Refusal};
use uuid::Uuid;

use crate::rounds::{ROUNDS, Round, run, setup};

#[tokio::test(flavor = "multi_thread")]
async fn accepting_twice_at_once_gives_the_same_connection() {
    run("accept twice", ROUNDS, setup(), accept_twice).await;
}

pub(crate) async fn accept_twice(round: Round) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let (one, other) = round
        .meet(
            round.device(0).accept(bob.clone(), id.clone()),
            round.device(1).accept(bob.clone(), id.clone()),
        )
        .await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other);
    assert_eq!(
        one.invitation.as_ref().unwrap().state(),
        InvitationState::Accepted
    );
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert!(both.are_connected() && both.have_empty_lists(), "{both:#?}");
    assert_eq!([both.one.quota.used, both.other.quota.used], [1, 0]);
    assert_eq!(round.pair.accept(&bob, &id).await.unwrap(), one);
}

#[tokio::test(flavor = "multi_thread")]
async fn declining_twice_at_once_is_declining_once() {
    run("decline twice", ROUNDS, setup(), decline_twice).await;
}

async fn decline_twice(round: Round) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let (one, other) = round
        .meet(
            round.device(0).decline(bob.clone(), id.clone()),
            round.device(1).decline(bob.clone(), id.clone()),
        )
        .await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other);
    assert_eq!(one.state(), InvitationState::Declined);
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert!(
        !both.are_connected() && both.have_empty_lists(),
        "{both:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawing_twice_at_once_is_withdrawing_once() {
    run("withdraw twice", ROUNDS, setup(), withdraw_twice).await;
}

pub(crate) async fn withdraw_twice(round: Round) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let (one, other) = round
        .meet(
            round.device(0).withdraw(ann.clone(), id.clone()),
            round.device(1).withdraw(ann.clone(), id.clone()),
        )
        .await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other);
    assert_eq!(one.state(), InvitationState::Withdrawn);
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert!(
        !both.are_connected() && both.have_empty_lists(),
        "{both:#?}"
    );
    assert_eq!([both.one.quota.used, both.other.quota.used], [1, 0]);
}

/// A request id that no other round uses.
fn request_id(round: &Round) -> String {
    Uuid::from_u128(u128::from(round.number) + 1).to_string()
}

fn named(round: &Round, inviter: &str, invitee: &str) -> SendInvitationRequest {
    SendInvitationRequest {
        inviter_id: inviter.to_owned(),
        invitee_id: invitee.to_owned(),
        note: "Hello".to_owned(),
        request_id: request_id(round),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_twice_at_once_is_answered_alike_and_charged_once() {
    run("the same request twice", ROUNDS, setup(), send_twice).await;
}

pub(crate) async fn send_twice(round: Round) {
    let (ann, bob) = round.two();
    let request = named(&round, &ann, &bob);
    let (one, other) = round
        .meet(
            round.device(0).send_with(request.clone()),
            round.device(1).send_with(request.clone()),
        )
        .await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other);
    assert_eq!(one.outcome(), SendOutcome::Sent);
    assert_eq!(one.quota.unwrap().used, 1);
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert_eq!(both.one.quota.used, 1);
    assert_eq!(both.one.sent.len(), 1);
    assert_eq!(both.one.sent.first(), one.invitation.as_ref());
    assert_eq!(both.other.received.len(), 1);
    assert_eq!(round.pair.send_with(request).await.unwrap(), one);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossing_request_sent_twice_at_once_is_answered_alike_and_not_charged() {
    run("the same crossing twice", ROUNDS, setup(), cross_twice).await;
}

pub(crate) async fn cross_twice(round: Round) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let request = named(&round, &bob, &ann);
    let (one, other) = round
        .meet(
            round.device(0).send_with(request.clone()),
            round.device(1).send_with(request.clone()),
        )
        .await;
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_eq!(one, other);
    assert_eq!(one.outcome(), SendOutcome::Connected);
    assert_eq!(one.invitation.as_ref().unwrap().invitation_id, id);
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert!(both.are_connected() && both.have_empty_lists(), "{both:#?}");
    assert_eq!([both.one.quota.used, both.other.quota.used], [1, 0]);
    assert_eq!(round.pair.send_with(request).await.unwrap(), one);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unnamed_invitation_sent_twice_at_once_is_charged_once() {
    run("unnamed twice", ROUNDS, setup(), send_unnamed_twice).await;
}

pub(crate) async fn send_unnamed_twice(round: Round) {
    let (ann, bob) = round.two();
    let (one, other) = round
        .meet(
            round.device(0).send(ann.clone(), bob.clone()),
            round.device(1).send(ann.clone(), bob.clone()),
        )
        .await;
    let (sent, refused) = match (one, other) {
        (Ok(sent), Err(refused)) | (Err(refused), Ok(sent)) => (sent, Refusal::of(&refused)),
        (one, other) => panic!("not one of them: {one:?} {other:?}"),
    };
    assert_eq!(refused.reason, "INVITATION_PENDING");
    let id = sent.invitation.unwrap().invitation_id;
    assert_eq!(refused.metadata["invitation_id"], id);
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert_eq!([both.one.quota.used, both.other.quota.used], [1, 0]);
}

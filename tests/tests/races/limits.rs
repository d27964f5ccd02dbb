//! Two who want the last place.

use acquaint_proto::invitation::v1::{InvitationState, SendOutcome};
use acquaint_tests::{
    look::{Both, Told},
    pair::Setup,
    refusal::Refusal,
};
use tonic::Code;

use crate::rounds::{FEWER_ROUNDS, ROUNDS, Round, run, setup};

const WEEKLY_CAP: u32 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_invitations_for_one_place_under_the_weekly_cap_one_is_sent() {
    run(
        "one place under the weekly cap",
        ROUNDS,
        small_cap(),
        one_place,
    )
    .await;
}

/// Both services with room for two invitations in a week.
pub(crate) fn small_cap() -> Setup {
    let mut setup = setup();
    setup.invitation_policy.weekly_cap = WEEKLY_CAP;
    setup
}

pub(crate) async fn one_place(round: Round) {
    let [ann, bob, cyd] = round.three();
    // What was withdrawn is charged all the same, and the limiter may know of it or not.
    let dan = format!("dan-{}", round.number);
    let id = round.pair.sent(&ann, &dan).await;
    if round.number.is_multiple_of(2) {
        round.pair.withdraw(&ann, &id).await.unwrap();
    }
    let (one, other) = round
        .meet(
            round.device(0).send(ann.clone(), bob.clone()),
            round.device(1).send(ann.clone(), cyd.clone()),
        )
        .await;
    let (sent, to, refused) = match (one, other) {
        (Ok(sent), Err(refused)) => (sent, &bob, refused),
        (Err(refused), Ok(sent)) => (sent, &cyd, refused),
        (one, other) => panic!("not one of them: {one:?} {other:?}"),
    };
    round.note(if to == &bob { "first" } else { "second" });
    assert_eq!(sent.outcome(), SendOutcome::Sent);
    let refused = Refusal::of(&refused);
    assert_eq!(refused.code, Code::ResourceExhausted, "{refused:?}");
    assert_eq!(refused.reason, "WEEKLY_CAP_REACHED");
    assert_eq!(refused.metadata["weekly_cap"], WEEKLY_CAP.to_string());
    assert_eq!(refused.metadata["used"], WEEKLY_CAP.to_string());
    let both = Both::at_rest(&round.pair, &ann, to).await;
    assert_eq!(both.one.quota.used, 2);
    assert_eq!(both.one.quota.remaining, 0);
    assert_eq!(sent.quota.unwrap().used, 2);
    assert_eq!(both.other.received.len(), 1, "{both:#?}");
    let other = if to == &bob { &cyd } else { &bob };
    let unlucky = Both::at_rest(&round.pair, &ann, other).await;
    assert!(unlucky.other.has_empty_lists(), "{unlucky:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_invitations_for_one_place_under_the_pending_cap_one_is_sent() {
    run(
        "one place under the pending cap",
        FEWER_ROUNDS,
        small_pending_cap(),
        one_pending,
    )
    .await;
}

/// Both services with room for one invitation without an answer.
pub(crate) fn small_pending_cap() -> Setup {
    let mut setup = setup();
    setup.invitation_policy.pending_sent_max = 1;
    setup
}

pub(crate) async fn one_pending(round: Round) {
    let [ann, bob, cyd] = round.three();
    let (one, other) = round
        .meet(
            round.device(0).send(ann.clone(), bob.clone()),
            round.device(1).send(ann.clone(), cyd.clone()),
        )
        .await;
    let (to, refused) = match (one, other) {
        (Ok(_), Err(refused)) => (&bob, refused),
        (Err(refused), Ok(_)) => (&cyd, refused),
        (one, other) => panic!("not one of them: {one:?} {other:?}"),
    };
    assert_eq!(Refusal::of(&refused).reason, "PENDING_CAP_REACHED");
    let both = Both::at_rest(&round.pair, &ann, to).await;
    assert_eq!(both.one.sent.len(), 1);
    assert_eq!(both.one.quota.used, 1, "the refused one was not charged");
}

/// Both services with room for one connection for each member.
pub(crate) fn room_for_one() -> Setup {
    let mut setup = setup();
    setup.invitation_policy.connections_max = 1;
    setup.connection_policy.connections_max = 1;
    setup
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_acceptances_at_ones_own_connection_limit_one_connects() {
    run(
        "two acceptances at one's own limit",
        FEWER_ROUNDS,
        room_for_one(),
        own_limit,
    )
    .await;
}

pub(crate) async fn own_limit(round: Round) {
    let [ann, bob, cyd] = round.three();
    let of_ann = round.pair.sent(&ann, &bob).await;
    let of_cyd = round.pair.sent(&cyd, &bob).await;
    let (one, other) = round
        .meet(
            round.device(0).accept(bob.clone(), of_ann.clone()),
            round.device(1).accept(bob.clone(), of_cyd.clone()),
        )
        .await;
    let (winner, loser, lost, refused) = match (one, other) {
        (Ok(_), Err(refused)) => (&ann, &cyd, &of_cyd, refused),
        (Err(refused), Ok(_)) => (&cyd, &ann, &of_ann, refused),
        (one, other) => panic!("not one of them: {one:?} {other:?}"),
    };
    round.note(if winner == &ann { "first" } else { "second" });
    let refused = Refusal::of(&refused);
    assert_eq!(refused.code, Code::FailedPrecondition, "{refused:?}");
    assert_eq!(refused.reason, "CONNECTION_LIMIT_REACHED");
    after_the_limit(&round, &bob, winner, loser).await;
    // Room is made, and what stayed pending can be accepted.
    round.pair.remove(&bob, winner).await.unwrap();
    round.pair.accept(&bob, lost).await.unwrap();
    let both = Both::at_rest(&round.pair, &bob, loser).await;
    assert!(both.are_connected() && both.have_empty_lists(), "{both:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_acceptances_at_the_inviters_connection_limit_one_connects() {
    run(
        "two acceptances at the inviter's limit",
        FEWER_ROUNDS,
        room_for_one(),
        inviters_limit,
    )
    .await;
}

pub(crate) async fn inviters_limit(round: Round) {
    let [ann, bob, cyd] = round.three();
    let to_ann = round.pair.sent(&bob, &ann).await;
    let to_cyd = round.pair.sent(&bob, &cyd).await;
    let (one, other) = round
        .meet(
            round.device(0).accept(ann.clone(), to_ann.clone()),
            round.device(1).accept(cyd.clone(), to_cyd.clone()),
        )
        .await;
    let (winner, loser, refused) = match (one, other) {
        (Ok(_), Err(refused)) => (&ann, &cyd, refused),
        (Err(refused), Ok(_)) => (&cyd, &ann, refused),
        (one, other) => panic!("not one of them: {one:?} {other:?}"),
    };
    round.note(if winner == &ann { "first" } else { "second" });
    let refused = Refusal::of(&refused);
    assert_eq!(refused.code, Code::FailedPrecondition, "{refused:?}");
    assert_eq!(refused.reason, "INVITER_CONNECTION_LIMIT_REACHED");
    after_the_limit(&round, &bob, winner, loser).await;
}

/// Whoever won is connected with the member who is full; whoever lost has an invitation that is pending for both.
async fn after_the_limit(round: &Round, full: &str, winner: &str, loser: &str) {
    let won = Both::at_rest(&round.pair, full, winner).await;
    assert!(won.are_connected(), "{won:#?}");
    let lost = Both::at_rest(&round.pair, full, loser).await;
    assert!(!lost.are_connected(), "{lost:#?}");
    let live = |told: &Told| {
        let mut live: Vec<_> = told.sent.iter().chain(&told.received).cloned().collect();
        assert_eq!(live.len(), 1, "{told:#?}");
        live.remove(0)
    };
    let (of_full, of_loser) = (live(&lost.one), live(&lost.other));
    assert_eq!(of_full.invitation_id, of_loser.invitation_id);
    for seen in [of_full, of_loser] {
        assert_eq!(seen.state(), InvitationState::Pending, "{seen:?}");
    }
}

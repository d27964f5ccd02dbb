//! Races while connection-service is away: nobody is told of a connection that does not exist.

use std::sync::{Arc, Mutex};

use acquaint_proto::invitation::v1::InvitationState;
use acquaint_tests::{
    look::{Both, Told},
    pair::Pair,
    refusal::{Refusal, reason},
    wait::eventually,
};
use service_kit::time::Span;
use tonic::Code;

use crate::rounds::{FEWER_ROUNDS, Round, run_on, setup};

/// An invitation that was accepted while nobody could connect the two.
struct Accepting {
    inviter: String,
    invitee: String,
    id: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_meets_an_acceptance_is_not_told_of_a_connection_before_it_exists() {
    let mut setup = setup();
    setup.invitation_policy.acceptance_first_retry = Span::millis(50);
    setup.invitation_policy.acceptance_retry_max = Span::millis(500);
    let mut pair = Pair::with(setup).await;
    pair.stop_connection_service().await;
    let pair = Arc::new(pair);
    let accepting = Mutex::new(Vec::new());
    run_on(
        &pair,
        "away: withdraw against accept",
        FEWER_ROUNDS,
        async |round| {
            let accepted = withdraw_or_accept(round).await;
            accepting.lock().unwrap().extend(accepted);
        },
    )
    .await;
    let mut pair = Arc::into_inner(pair).unwrap();
    pair.start_connection_service().await;
    for accepted in accepting.into_inner().unwrap() {
        completes(&pair, &accepted).await;
    }
    pair.stop().await;
}

async fn withdraw_or_accept(round: Round) -> Option<Accepting> {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let (withdrawn, accepted) = round
        .meet(
            round.device(0).withdraw(ann.clone(), id.clone()),
            round.device(1).accept(bob.clone(), id.clone()),
        )
        .await;
    let refused = match (withdrawn, accepted) {
        (Ok(_), Err(refused)) => {
            round.note("withdrawn");
            assert_eq!(Refusal::of(&refused).reason, "INVITATION_NOT_FOUND");
            return None;
        }
        (Err(refused), Ok(accepted)) => {
            round.note("accepting");
            let state = accepted.invitation.unwrap().state();
            assert_eq!(state, InvitationState::Accepting);
            assert_eq!(accepted.connection, None);
            Refusal::of(&refused)
        }
        (withdrawn, accepted) => panic!("not one winner: {withdrawn:?} {accepted:?}"),
    };
    assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
    assert_eq!(refused.reason, "DEPENDENCY_UNAVAILABLE");
    assert!(refused.retry_after.is_some(), "{refused:?}");
    let (for_ann, for_bob) = (
        round.pair.get(&ann, &id).await.unwrap(),
        round.pair.get(&bob, &id).await.unwrap(),
    );
    assert_eq!(for_ann.state(), InvitationState::Pending);
    assert_eq!(for_bob.state(), InvitationState::Accepting);
    Some(Accepting {
        inviter: ann,
        invitee: bob,
        id,
    })
}

/// What was accepted completes by itself; only then is the withdrawal told so.
async fn completes(pair: &Pair, accepted: &Accepting) {
    let Accepting {
        inviter,
        invitee,
        id,
    } = accepted;
    eventually("the acceptance completes by itself", || async {
        let told = Told::to(pair, inviter, invitee).await;
        (told.is_connected() && told.has_empty_lists()).then_some(())
    })
    .await;
    let both = Both::at_rest(pair, inviter, invitee).await;
    assert!(both.are_connected() && both.have_empty_lists(), "{both:#?}");
    assert_eq!(reason(pair.withdraw(inviter, id).await), "ALREADY_ACCEPTED");
}

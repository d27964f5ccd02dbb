//! Blocks and removals that meet invitations and acceptances: what a member does not want does not come about, whichever was first.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use acquaint_proto::connection::v1::RelationshipStatus;
use acquaint_tests::{look::Both, pair::Pair, refusal::Refusal, wait::within};

use tonic::Status;

use crate::rounds::{ROUNDS, Round, run, run_on, setup};

/// Within what a block, a removal or an erasure has taken its full effect while both services run.
const FULL_EFFECT: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_meets_an_invitation_leaves_nothing_pending() {
    run("block against send", ROUNDS, setup(), block_or_send).await;
}

pub(crate) async fn block_or_send(round: Round) {
    let (ann, bob) = round.two();
    // By turns the invitee and the inviter blocks.
    let by_inviter = round.number % 4 >= 2;
    let (blocker, blocked) = if by_inviter {
        (&ann, &bob)
    } else {
        (&bob, &ann)
    };
    let (block, sent) = round
        .meet(
            round.device(0).block(blocker.clone(), blocked.clone()),
            round.device(1).send(ann.clone(), bob.clone()),
        )
        .await;
    block.unwrap();
    let charged = match sent {
        Ok(_) => {
            round.note("sent");
            1
        }
        Err(refused) => {
            let refused = Refusal::of(&refused);
            let expected = if by_inviter {
                "MEMBER_BLOCKED_BY_YOU"
            } else {
                "RECIPIENT_UNAVAILABLE"
            };
            assert_eq!(refused.reason, expected);
            round.note(refused.reason);
            0
        }
    };
    let both = ends_blocked(&round.pair, blocker, blocked).await;
    let used = both.one.quota.used + both.other.quota.used;
    assert_eq!(used, charged, "{both:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_meets_an_acceptance_ends_blocked() {
    run("block against accept", ROUNDS, setup(), block_or_accept).await;
}

pub(crate) async fn block_or_accept(round: Round) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    // By turns the inviter and the accepting member, from another device, blocks.
    let (blocker, blocked) = if round.number % 4 >= 2 {
        (&ann, &bob)
    } else {
        (&bob, &ann)
    };
    let (block, accepted) = round
        .meet(
            round.device(0).block(blocker.clone(), blocked.clone()),
            round.device(1).accept(bob.clone(), id.clone()),
        )
        .await;
    block.unwrap();
    match accepted {
        Ok(_) => round.note("accepted"),
        Err(refused) => {
            assert_eq!(Refusal::of(&refused).reason, "INVITATION_NOT_FOUND");
            round.note("not found");
        }
    }
    let both = ends_blocked(&round.pair, blocker, blocked).await;
    assert_eq!(
        [&both.one, &both.other].map(|told| told.connections),
        [0, 0]
    );
    // Without a connection an accepted invitation goes too, from where no list shows it.
    for member in [&ann, &bob] {
        gone(async || round.pair.get(member, &id).await).await;
    }
}

/// Waits until the block has taken its full effect: nothing pending for either, not connected, blocked for one and nothing for the other.
async fn ends_blocked(pair: &Pair, blocker: &str, blocked: &str) -> Both {
    within(FULL_EFFECT, "blocked, and nothing pending", || async {
        let both = Both::of(pair, blocker, blocked).await;
        let relationships = [both.one.relationship, both.other.relationship];
        let expected = [RelationshipStatus::Blocked, RelationshipStatus::None];
        assert_eq!(relationships, expected, "{both:#?}");
        both.have_empty_lists().then_some(())
    })
    .await;
    Both::at_rest(pair, blocker, blocked).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_after_an_acceptance_is_for_good() {
    let pair = Arc::new(Pair::with(setup()).await);
    let removed = Mutex::new(Vec::new());
    run_on(&pair, "remove against accept", ROUNDS, async |round| {
        let two = remove_or_accept(round).await;
        removed.lock().unwrap().push(two);
    })
    .await;
    // Long after, with every message between the services through.
    for (ann, bob) in removed.into_inner().unwrap() {
        let both = Both::at_rest(&pair, &ann, &bob).await;
        assert!(
            !both.are_connected() && both.have_empty_lists(),
            "{both:#?}"
        );
    }
    Arc::into_inner(pair).unwrap().stop().await;
}

pub(crate) async fn remove_or_accept(round: Round) -> (String, String) {
    let (ann, bob) = round.two();
    let id = round.pair.sent(&ann, &bob).await;
    let (remover, removed) = if round.number % 4 >= 2 {
        (&ann, &bob)
    } else {
        (&bob, &ann)
    };
    let (remove, accept) = round
        .meet_timed(
            round.device(0).remove(remover.clone(), removed.clone()),
            round.device(1).accept(bob.clone(), id.clone()),
        )
        .await;
    remove.answer.unwrap();
    let both = rests(&round.pair, &ann, &bob).await;
    assert!(both.have_empty_lists(), "{both:#?}");
    let connected = both.are_connected();
    match accept.answer {
        Ok(accepted) => {
            assert!(accepted.connection.is_some(), "{accepted:?}");
            round.note(if connected { "connected" } else { "removed" });
        }
        Err(refused) => {
            assert_eq!(Refusal::of(&refused).reason, "INVITATION_NOT_FOUND");
            assert!(!connected, "{both:#?}");
            round.note("stood against");
        }
    }
    if remove.begun > accept.ended {
        assert!(!connected, "removed after the acceptance: {both:#?}");
    }
    round.pair.remove(removed, remover).await.unwrap();
    let both = rests(&round.pair, &ann, &bob).await;
    assert!(
        !both.are_connected() && both.have_empty_lists(),
        "{both:#?}"
    );
    // A late repeat of the acceptance brings nothing back.
    gone(async || round.pair.accept(&bob, &id).await).await;
    let both = Both::at_rest(&round.pair, &ann, &bob).await;
    assert!(
        !both.are_connected() && both.have_empty_lists(),
        "{both:#?}"
    );
    (ann, bob)
}

/// Waits until a call for an invitation finds none.
async fn gone<T>(call: impl AsyncFn() -> Result<T, Status>) {
    within(FULL_EFFECT, "the invitation is gone", async || {
        let refused = call().await.err()?;
        assert_eq!(Refusal::of(&refused).reason, "INVITATION_NOT_FOUND");
        Some(())
    })
    .await;
}

/// Waits until both services agree.
async fn rests(pair: &Pair, one: &str, other: &str) -> Both {
    within(FULL_EFFECT, "both services agree", || async {
        let both = Both::of(pair, one, other).await;
        (both.contradiction().is_none() && both.have_empty_lists()).then_some(both)
    })
    .await
}

//! What the search has found, told once more: the shortest ways in which a promise was broken.
//!
//! They stay here so that they are tried first, whatever becomes of the search.

use service_kit::id::Side::Low;

use super::{
    rules::Real,
    steps::Step::{
        self, Accept, Ask, Block, Decline, Fill, Fold, Hear, Request, Send, Unblock, Undo,
    },
    world::World,
};

/// Takes the steps, and demands what holds at every moment and if everything came to rest then.
fn demand_promises_are_kept(steps: &[Step]) {
    let mut world = World::new();
    for step in steps {
        let words = world.describe(*step);
        let kept = world
            .take(&Real, *step)
            .and_then(|()| world.check_always())
            .and_then(|()| world.check_copy())
            .and_then(|()| world.check_at_rest(&Real));
        assert_eq!(kept, Ok(()), "after: {words}");
    }
}

/// The block's event comes when the invitation, which was sent without knowing of it, has been accepted and connected.
#[test]
fn a_blocks_late_event_does_not_tear_an_acceptance_from_its_connection() {
    let unheard = Send {
        side: Low,
        heard: false,
    };
    demand_promises_are_kept(&[
        Block(Low),
        Unblock(Low),
        Ask(Low),
        unheard,
        Accept,
        Request(0),
        Fold,
        Fold,
        Fold,
    ]);
}

/// The verdict brings news from after the block was lifted, so that the block's own event is old when it comes.
#[test]
fn an_invitation_given_back_does_not_outlive_a_block() {
    let heard = Send {
        side: Low,
        heard: true,
    };
    demand_promises_are_kept(&[
        Ask(Low),
        heard,
        Block(Low),
        Unblock(Low),
        Fill(Low),
        Accept,
        Request(0),
        Hear(0),
        Fold,
        Fold,
    ]);
}

/// The same, and the invitation is declined when the block's event comes.
#[test]
fn a_decline_is_not_taken_back_after_a_block() {
    let heard = Send {
        side: Low,
        heard: true,
    };
    let given_back = [
        Ask(Low),
        heard,
        Block(Low),
        Unblock(Low),
        Fill(Low),
        Accept,
        Request(0),
        Hear(0),
        Decline,
    ];
    demand_promises_are_kept(&[&given_back[..], &[Fold, Undo(Low)]].concat());
    demand_promises_are_kept(&[&given_back[..], &[Undo(Low), Fold]].concat());
}

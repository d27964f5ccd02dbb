//! Tables of erasing: whatever stood between the two, nothing does afterwards.

use super::*;
use crate::domain::{
    fixture::{
        Before, CONNECTED, CURSOR, ID, INVITEE, INVITER, Step, blocked_by, id, invitation, key,
        pair, pair_inviting, pending, steps,
    },
    pair::DeclineReason,
};
use service_kit::id::Side;

#[test]
fn nothing_is_left_between_the_two() {
    let check = |before, expected: &[Step]| {
        for inviter in Side::BOTH {
            let mut pair = pair_inviting(inviter, before);
            pair.facts_position = CURSOR + 7;
            let transitions = erase(&mut pair);
            assert_eq!(steps(&transitions), expected, "{before:?}");
            assert_eq!(pair, Pair::new(key()), "{before:?}");
            assert!(pair.is_empty(0));
        }
    };
    let gone = |from, happening| [(ID, from, State::Gone, happening)];
    check(Before::Nothing, &[]);
    check(Before::Pending, &gone(State::Pending, Happening::Ended));
    check(Before::Accepting, &gone(State::Accepting, Happening::Ended));
    check(Before::Accepted, &gone(CONNECTED, Happening::Forgotten));
    check(
        Before::Declined(DeclineReason::Spam),
        &gone(State::Declined, Happening::Forgotten),
    );
    check(Before::DeclinedForgotten, &[]);
    check(
        Before::Withdrawn,
        &gone(State::Withdrawn, Happening::Forgotten),
    );
}

#[test]
fn all_that_stands_goes_at_once() {
    let mut pair = pair(Before::Declined(DeclineReason::Spam));
    pair.withdrawn = crate::domain::fixture::pair(Before::Withdrawn).withdrawn;
    pair.withdrawn[0].invitation.id = id(2);
    pair.live = Some(pending(invitation(id(3), INVITEE)));
    pair.facts = blocked_by(INVITER);
    let transitions = erase(&mut pair);
    let expected = [
        (id(3), State::Pending, State::Gone, Happening::Ended),
        (ID, State::Declined, State::Gone, Happening::Forgotten),
        (id(2), State::Withdrawn, State::Gone, Happening::Forgotten),
    ];
    assert_eq!(steps(&transitions), expected);
    assert_eq!(pair, Pair::new(key()));
    assert_eq!(erase(&mut pair), [], "to be repeated until it is done");
}

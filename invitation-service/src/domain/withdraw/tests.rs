//! Tables of withdrawing, by act or by wish.

use super::*;
use crate::domain::{
    facts::learn,
    fixture::{
        Before, CONNECTED, CURSOR, DAY, ID, INVITEE, INVITER, START, at, connected_by, id,
        invitation, pair, pending, policy, state,
    },
    pair::DeclineReason,
    review::review,
};
use service_kit::time::Span;

/// The time of a case.
const NOW: Time = at(Span::hours(1));

/// What withdrawing came to, in a word.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Done,
    Repeated,
    AwaitsVerdict,
    Refused(Refusal),
}

fn came(result: Result<Withdrawing, Refusal>) -> Came {
    match result {
        Ok(Withdrawing::Done(_)) => Came::Done,
        Ok(Withdrawing::Repeated) => Came::Repeated,
        Ok(Withdrawing::AwaitsVerdict) => Came::AwaitsVerdict,
        Err(refusal) => Came::Refused(refusal),
    }
}

fn not_found() -> Came {
    Came::Refused(Refusal::InvitationNotFound)
}

#[test]
fn only_the_inviter_withdraws_and_only_what_is_pending() {
    let check = |before, side, named: &Uuid, expected: Came| {
        let mut pair = pair(before);
        let unchanged = pair.clone();
        let result = came(withdraw(&mut pair, side, named, &policy(), NOW));
        assert_eq!(
            pair != unchanged,
            result == Came::Done,
            "{before:?} by {side:?}"
        );
        assert_eq!(result, expected, "{before:?} by {side:?}");
    };
    let not_now = Before::Declined(DeclineReason::NotNow);
    check(Before::Nothing, INVITER, &ID, not_found());
    check(Before::Pending, INVITER, &ID, Came::Done);
    check(Before::Accepting, INVITER, &ID, Came::AwaitsVerdict);
    check(
        Before::Accepted,
        INVITER,
        &ID,
        Came::Refused(Refusal::AlreadyAccepted),
    );
    // All that the inviter notices of a decline is that the invitation is gone.
    check(not_now, INVITER, &ID, not_found());
    check(
        Before::Declined(DeclineReason::Spam),
        INVITER,
        &ID,
        not_found(),
    );
    check(Before::DeclinedForgotten, INVITER, &ID, not_found());
    check(Before::Withdrawn, INVITER, &ID, Came::Repeated);
    check(Before::Pending, INVITEE, &ID, not_found());
    check(Before::Accepting, INVITEE, &ID, not_found());
    check(Before::Accepted, INVITEE, &ID, not_found());
    check(not_now, INVITEE, &ID, not_found());
    check(Before::Withdrawn, INVITEE, &ID, not_found());
    check(Before::Pending, INVITER, &id(2), not_found());
    check(Before::Accepting, INVITER, &id(2), not_found());
    check(Before::Accepted, INVITER, &id(2), not_found());
    check(Before::Withdrawn, INVITER, &id(2), not_found());
}

#[test]
fn a_withdrawn_invitation_is_kept_for_a_day() {
    let mut pair = pair(Before::Pending);
    let Ok(Withdrawing::Done(step)) = withdraw(&mut pair, INVITER, &ID, &policy(), NOW) else {
        panic!("it is pending");
    };
    assert_eq!(
        (step.from, step.to, step.happening),
        (State::Pending, State::Withdrawn, Happening::Withdrawn)
    );
    let kept = Withdrawn {
        invitation: invitation(ID, INVITER),
        kept_until: NOW.plus(Span::hours(24)),
    };
    assert_eq!((pair.live, pair.withdrawn), (None, vec![kept]));
}

#[test]
fn a_withdrawal_is_safe_to_repeat_for_a_day() {
    let check = |after: Span, expected: Came| {
        let mut pair = pair(Before::Withdrawn);
        review(&mut pair, at(after));
        assert_eq!(
            came(withdraw(&mut pair, INVITER, &ID, &policy(), at(after))),
            expected
        );
    };
    check(Span::ZERO, Came::Repeated);
    check(Span::millis(DAY.as_millis() - 1), Came::Repeated);
    check(DAY, not_found());
}

#[test]
fn withdrawals_of_both_sides_are_kept_apart() {
    let mut pair = pair(Before::Withdrawn);
    pair.live = Some(pending(invitation(id(2), INVITEE)));
    assert_eq!(
        came(withdraw(&mut pair, INVITEE, &id(2), &policy(), NOW)),
        Came::Done
    );
    pair.live = Some(pending(invitation(id(3), INVITER)));
    assert_eq!(
        came(withdraw(&mut pair, INVITER, &id(3), &policy(), NOW)),
        Came::Done
    );
    for (named, inviter) in [(ID, INVITER), (id(2), INVITEE), (id(3), INVITER)] {
        assert_eq!(
            came(withdraw(&mut pair, inviter, &named, &policy(), NOW)),
            Came::Repeated
        );
        let other = inviter.other();
        assert_eq!(
            came(withdraw(&mut pair, other, &named, &policy(), NOW)),
            not_found()
        );
    }
}

#[test]
fn accepted_is_said_only_once_the_connection_was_made() {
    let mut pair = pair(Before::Accepting);
    assert_eq!(
        came(withdraw(&mut pair, INVITER, &ID, &policy(), NOW)),
        Came::AwaitsVerdict
    );
    assert_eq!(state(&pair), State::Accepting);
    learn(
        &mut pair,
        connected_by(ID),
        CURSOR + 1,
        CURSOR,
        &policy(),
        NOW,
    );
    assert_eq!(state(&pair), CONNECTED);
    let accepted = Came::Refused(Refusal::AlreadyAccepted);
    assert_eq!(
        came(withdraw(&mut pair, INVITER, &ID, &policy(), NOW)),
        accepted
    );
    learn(
        &mut pair,
        crate::domain::pair::Facts::default(),
        CURSOR + 2,
        CURSOR + 1,
        &policy(),
        NOW,
    );
    assert_eq!(
        came(withdraw(&mut pair, INVITER, &ID, &policy(), NOW)),
        not_found(),
        "the connection was removed"
    );
}

#[test]
fn a_standing_wish_ends_what_is_old_enough_and_counts_as_expired() {
    let check = |before, side, days, now: Time, ends: bool| {
        let mut pair = pair(before);
        let unchanged = pair.clone();
        let step = auto_withdraw(&mut pair, side, days, now);
        let taken = step.map(|step| (step.from, step.to, step.happening));
        let expired = (State::Pending, State::Gone, Happening::Expired);
        assert_eq!(
            taken,
            ends.then_some(expired),
            "{before:?} by {side:?} after {days} days"
        );
        assert_eq!(pair != unchanged, ends);
        assert_eq!(
            pair.withdrawn, unchanged.withdrawn,
            "it is not a withdrawal"
        );
    };
    let week = at(Span::days(7));
    let almost = Time::from_millis(week.millis() - 1);
    check(Before::Pending, INVITER, 7, almost, false);
    check(Before::Pending, INVITER, 7, week, true);
    check(Before::Pending, INVITER, 8, week, false);
    check(Before::Pending, INVITER, 180, at(Span::days(180)), true);
    check(Before::Pending, INVITEE, 7, week, false);
    check(Before::Accepting, INVITER, 7, week, false);
    check(Before::Nothing, INVITER, 7, week, false);
    check(Before::Withdrawn, INVITER, 7, week, false);
    check(Before::Accepted, INVITER, 7, week, false);
    assert_eq!(auto_withdraw_due(START, 7), week);
}

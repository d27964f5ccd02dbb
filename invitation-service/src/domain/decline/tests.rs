//! Tables of declining, strengthening, undoing, and of the bars that come and go with it.

use super::*;
use crate::domain::{
    facts::learn,
    fixture::{
        Before, CONNECTED, CURSOR, DAY, ID, INVITEE, INVITER, START, TICK, accepting, at,
        blocked_by, connected_elsewhere, id, invitation, pair, pending, policy, state, steps,
        strangers,
    },
    pair::Facts,
    review::review,
};
use DeclineReason::{DontKnow, NotNow, Spam};
use service_kit::time::Span;

/// The time of a case.
const NOW: Time = at(Span::hours(1));

const REASONS: [DeclineReason; 3] = [NotNow, DontKnow, Spam];

/// What declining or undoing came to, in a word.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    Done,
    Repeated,
    AwaitsVerdict,
    Refused(Refusal),
}

fn came(result: Result<Declining, Refusal>) -> Came {
    match result {
        Ok(Declining::Done(_)) => Came::Done,
        Ok(Declining::Repeated) => Came::Repeated,
        Ok(Declining::AwaitsVerdict) => Came::AwaitsVerdict,
        Err(refusal) => Came::Refused(refusal),
    }
}

fn not_found() -> Came {
    Came::Refused(Refusal::InvitationNotFound)
}

fn not_pending() -> Came {
    Came::Refused(Refusal::InvitationNotPending)
}

fn already_accepted() -> Came {
    Came::Refused(Refusal::AlreadyAccepted)
}

#[test]
fn only_the_invitee_declines_and_only_what_is_pending() {
    let check = |before, side, named: &Uuid, expected: Came| {
        for reason in REASONS {
            let mut pair = pair(before);
            let unchanged = pair.clone();
            let result = came(decline(&mut pair, side, named, reason, &policy(), NOW));
            assert_eq!(result, expected, "{before:?} by {side:?}");
            let may_change = matches!(expected, Came::Done | Came::Repeated);
            assert!(may_change || pair == unchanged, "{before:?} by {side:?}");
        }
    };
    check(Before::Nothing, INVITEE, &ID, not_found());
    check(Before::Pending, INVITEE, &ID, Came::Done);
    check(Before::Accepting, INVITEE, &ID, Came::AwaitsVerdict);
    check(Before::Accepted, INVITEE, &ID, already_accepted());
    check(Before::Declined(NotNow), INVITEE, &ID, Came::Repeated);
    check(Before::DeclinedForgotten, INVITEE, &ID, not_found());
    check(Before::Withdrawn, INVITEE, &ID, not_found());
    check(Before::Pending, INVITER, &ID, not_found());
    check(Before::Accepting, INVITER, &ID, not_found());
    check(Before::Accepted, INVITER, &ID, not_found());
    check(Before::Declined(NotNow), INVITER, &ID, not_found());
    check(Before::Withdrawn, INVITER, &ID, not_found());
    check(Before::Pending, INVITEE, &id(2), not_found());
    check(Before::Accepting, INVITEE, &id(2), not_found());
    check(Before::Declined(NotNow), INVITEE, &id(2), not_found());
}

#[test]
fn a_decline_is_kept_for_a_day_and_waited_for_three_weeks() {
    for reason in REASONS {
        let mut pair = pair(Before::Pending);
        let Ok(Declining::Done(transitions)) =
            decline(&mut pair, INVITEE, &ID, reason, &policy(), NOW)
        else {
            panic!("it can be declined");
        };
        assert_eq!(
            steps(&transitions),
            [(ID, State::Pending, State::Declined, Happening::Declined)]
        );
        let expected = Declined {
            invitation: invitation(ID, INVITER),
            reason,
            kept_until: NOW.plus(Span::hours(24)),
            cooldown_until: NOW.plus(Span::days(21)),
            overtaken: false,
            forgotten: false,
        };
        assert_eq!(pair.declined.get(INVITER), &Some(expected));
        let bar = (reason != NotNow).then_some(Bar { reason, time: NOW });
        assert_eq!(
            (pair.bars.get(INVITER), pair.bars.get(INVITEE)),
            (&bar, &None),
            "{reason:?}"
        );
    }
}

#[test]
fn a_repeated_decline_only_strengthens() {
    // The reason given first, the one given again; the one that stands, and since when its bar does.
    let check = |first, again, stands, barred_since: Option<Time>| {
        let mut pair = pair(Before::Declined(first));
        assert_eq!(
            came(decline(&mut pair, INVITEE, &ID, again, &policy(), NOW)),
            Came::Repeated
        );
        let declined = pair.declined.get(INVITER).as_ref().unwrap();
        assert_eq!(declined.reason, stands, "{first:?}, then {again:?}");
        assert_eq!(declined.kept_until, at(DAY), "no day is won by repeating");
        assert_eq!(declined.cooldown_until, at(Span::days(21)));
        let bar = barred_since.map(|time| Bar {
            reason: stands,
            time,
        });
        assert_eq!(pair.bars.get(INVITER), &bar, "{first:?}, then {again:?}");
    };
    check(NotNow, NotNow, NotNow, None);
    check(NotNow, DontKnow, DontKnow, Some(NOW));
    check(NotNow, Spam, Spam, Some(NOW));
    check(DontKnow, NotNow, DontKnow, Some(START));
    check(DontKnow, DontKnow, DontKnow, Some(START));
    check(DontKnow, Spam, Spam, Some(NOW));
    check(Spam, NotNow, Spam, Some(START));
    check(Spam, DontKnow, Spam, Some(START));
    check(Spam, Spam, Spam, Some(START));
}

#[test]
fn strengthening_and_undoing_end_with_the_day() {
    let check = |after: Span, strengthened: Came, undone: Came| {
        let mut pair = pair(Before::Declined(NotNow));
        review(&mut pair, at(after));
        let mut other = pair.clone();
        assert_eq!(
            came(decline(&mut pair, INVITEE, &ID, Spam, &policy(), at(after))),
            strengthened
        );
        assert_eq!(
            came(undo_decline(&mut other, INVITEE, &ID, at(after))),
            undone
        );
    };
    check(Span::ZERO, Came::Repeated, Came::Done);
    check(
        Span::millis(DAY.as_millis() - 1),
        Came::Repeated,
        Came::Done,
    );
    check(DAY, not_found(), not_found());
    check(Span::days(21), not_found(), not_found());
}

#[test]
fn only_the_invitee_takes_a_decline_back() {
    let check = |before, side, named: &Uuid, expected: Came| {
        let mut pair = pair(before);
        let unchanged = pair.clone();
        let result = came(undo_decline(&mut pair, side, named, NOW));
        assert_eq!(
            pair != unchanged,
            result == Came::Done,
            "{before:?} by {side:?}"
        );
        assert_eq!(result, expected, "{before:?} by {side:?}");
    };
    for reason in REASONS {
        check(Before::Declined(reason), INVITEE, &ID, Came::Done);
        check(Before::Declined(reason), INVITER, &ID, not_found());
        check(Before::Declined(reason), INVITEE, &id(2), not_found());
    }
    check(Before::Nothing, INVITEE, &ID, not_found());
    check(Before::Pending, INVITEE, &ID, Came::Repeated);
    check(Before::Accepting, INVITEE, &ID, Came::AwaitsVerdict);
    check(Before::Accepted, INVITEE, &ID, already_accepted());
    check(Before::DeclinedForgotten, INVITEE, &ID, not_found());
    check(Before::Withdrawn, INVITEE, &ID, not_found());
    check(Before::Pending, INVITER, &ID, not_found());
    check(Before::Accepting, INVITER, &ID, not_found());
    check(Before::Accepted, INVITER, &ID, not_found());
    check(Before::Withdrawn, INVITER, &ID, not_found());
}

#[test]
fn taking_back_restores_what_was_and_what_it_was_decided_at() {
    for reason in REASONS {
        let mut pair = pair(Before::Declined(reason));
        let Ok(Declining::Done(transitions)) = undo_decline(&mut pair, INVITEE, &ID, NOW) else {
            panic!("nothing came between");
        };
        assert_eq!(
            steps(&transitions),
            [(
                ID,
                State::Declined,
                State::Pending,
                Happening::DeclineUndone
            )]
        );
        // Not what is known now: a block of the meantime is still to end it when its event comes.
        let expected = crate::domain::fixture::pair(Before::Pending);
        assert_eq!(
            pair, expected,
            "{reason:?}: the wait and the bar are over too"
        );
    }
}

/// The feed brings this, so far beyond what was followed at the start.
fn fact(pair: &mut Pair, facts: Facts, position: u64) {
    learn(
        pair,
        facts,
        CURSOR + position,
        CURSOR + position - 1,
        &policy(),
        NOW,
    );
}

#[test]
fn a_decline_is_not_taken_back_over_what_came_between() {
    let check = |name: &str, between: fn(&mut Pair), expected: Came| {
        let mut pair = pair(Before::Declined(Spam));
        between(&mut pair);
        let unchanged = pair.clone();
        let result = came(undo_decline(&mut pair, INVITEE, &ID, NOW));
        assert_eq!(pair != unchanged, result == Came::Done, "{name}");
        assert_eq!(result, expected, "{name}");
    };
    check("nothing", |_| {}, Came::Done);
    check(
        "the other invited",
        |p| p.live = Some(pending(invitation(id(2), INVITEE))),
        not_pending(),
    );
    check(
        "an invitation came and went",
        |p| p.declined.low.as_mut().unwrap().overtaken = true,
        not_pending(),
    );
    check(
        "one is being accepted",
        |p| p.live = Some(accepting(invitation(id(2), INVITEE))),
        not_pending(),
    );
    check(
        "a connection",
        |p| fact(p, connected_elsewhere(), 1),
        not_pending(),
    );
    check(
        "a connection that came and went",
        |p| {
            fact(p, connected_elsewhere(), 1);
            fact(p, strangers(), 2);
        },
        not_pending(),
    );
    check(
        "a block by the inviter",
        |p| fact(p, blocked_by(INVITER), 1),
        not_pending(),
    );
    check(
        "a block by the invitee",
        |p| fact(p, blocked_by(INVITEE), 1),
        not_pending(),
    );
    check(
        "a block that came and went",
        |p| {
            fact(p, blocked_by(INVITEE), 1);
            fact(p, strangers(), 2);
        },
        not_pending(),
    );
    check(
        "news that nothing holds",
        |p| fact(p, strangers(), 1),
        Came::Done,
    );
    check("the bar was lifted", |p| unbar(p, INVITEE), Came::Done);
    check(
        "its time ran out",
        |p| p.declined.low.as_mut().unwrap().invitation.expire_time = NOW,
        not_pending(),
    );
    check(
        "its time runs out in a moment",
        |p| p.declined.low.as_mut().unwrap().invitation.expire_time = NOW.plus(TICK),
        Came::Done,
    );
}

#[test]
fn a_bar_is_lifted_by_whoever_set_it() {
    // Who lifts, and whether the bar against the inviter is gone.
    let check = |side, lifted: bool| {
        let mut pair = pair(Before::Declined(Spam));
        let waits_until = pair.declined.low.as_ref().unwrap().cooldown_until;
        unbar(&mut pair, side);
        assert_eq!(pair.bars.get(INVITER).is_none(), lifted, "{side:?}");
        let declined = pair.declined.low.as_ref().unwrap();
        assert_eq!(
            declined.cooldown_until, waits_until,
            "the wait after the decline goes on"
        );
    };
    check(INVITEE, true);
    check(INVITER, false);
}

#[test]
fn a_lifted_bar_returns_only_with_a_stronger_reason() {
    let check = |first, again, barred: bool| {
        let mut pair = pair(Before::Declined(first));
        unbar(&mut pair, INVITEE);
        decline(&mut pair, INVITEE, &ID, again, &policy(), NOW).unwrap();
        assert_eq!(
            pair.bars.get(INVITER).is_some(),
            barred,
            "{first:?}, then {again:?}"
        );
    };
    check(NotNow, NotNow, false);
    check(NotNow, DontKnow, true);
    check(DontKnow, DontKnow, false);
    check(DontKnow, Spam, true);
    check(Spam, Spam, false);
    check(Spam, DontKnow, false);
}

#[test]
fn each_side_may_decline_the_other() {
    let mut pair = pair(Before::Declined(NotNow));
    // The decliner invited, which overtakes; now that is declined too.
    pair.live = Some(pending(invitation(id(2), INVITEE)));
    let result = decline(&mut pair, INVITER, &id(2), DontKnow, &policy(), NOW);
    assert_eq!(came(result), Came::Done);
    assert_eq!(state(&pair), State::Declined);
    assert_eq!(pair.declined.high.as_ref().unwrap().invitation.id, id(2));
    assert!(pair.bars.low.is_none() && pair.bars.high.is_some());
    assert_eq!(
        came(undo_decline(&mut pair, INVITER, &id(2), NOW)),
        Came::Done
    );
    assert_eq!((pair.bars.low, pair.bars.high), (None, None));
}

#[test]
fn an_accepted_invitation_is_told_from_an_acceptance_under_way() {
    let mut pair = pair(Before::Accepting);
    assert_eq!(
        came(decline(&mut pair, INVITEE, &ID, NotNow, &policy(), NOW)),
        Came::AwaitsVerdict
    );
    let facts = crate::domain::fixture::connected_by(ID);
    learn(&mut pair, facts, CURSOR + 1, CURSOR, &policy(), NOW);
    assert_eq!(state(&pair), CONNECTED);
    assert_eq!(
        came(decline(&mut pair, INVITEE, &ID, NotNow, &policy(), NOW)),
        already_accepted()
    );
    assert_eq!(
        came(undo_decline(&mut pair, INVITEE, &ID, NOW)),
        already_accepted()
    );
}

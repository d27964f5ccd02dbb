//! Tables of what time alone does: nothing a moment before the border, everything at it.

use super::*;
use crate::domain::{
    fixture::{
        Before, CONNECTED, CURSOR, DAY, ID, INVITEE, INVITER, START, Step, TICK, at, id,
        invitation, pair, pair_inviting, policy, state, steps,
    },
    pair::{DeclineReason, Facts, Withdrawn},
};

fn before_it(span: Span) -> Time {
    at(span).minus(TICK)
}

#[test]
fn everything_is_due_exactly_at_its_border() {
    let check = |before, now, expected: &[Step], to| {
        for inviter in Side::BOTH {
            let mut pair = pair_inviting(inviter, before);
            let transitions = review(&mut pair, now);
            assert_eq!(steps(&transitions), expected, "{before:?} at {now:?}");
            assert_eq!(state(&pair), to, "{before:?} at {now:?}");
            assert_eq!(review(&mut pair, now), [], "what was done is not due again");
        }
    };
    let life = policy().invitation_lifetime;
    let kept = policy().ended_kept;
    let accepted_kept = policy().accepted_kept;
    let cooldown = policy().decline_cooldown;
    let declined = Before::Declined(DeclineReason::Spam);
    let gone = |from, happening| [(ID, from, State::Gone, happening)];
    assert_eq!(
        (life, kept, accepted_kept),
        (Span::days(180), Span::hours(24), Span::days(90))
    );

    check(Before::Nothing, at(life), &[], State::Gone);
    check(Before::Pending, START, &[], State::Pending);
    check(Before::Pending, before_it(life), &[], State::Pending);
    check(
        Before::Pending,
        at(life),
        &gone(State::Pending, Happening::Expired),
        State::Gone,
    );
    check(
        Before::Pending,
        at(Span::days(999)),
        &gone(State::Pending, Happening::Expired),
        State::Gone,
    );
    // Once stored, an acceptance is not overtaken by time.
    check(Before::Accepting, at(life), &[], State::Accepting);
    check(
        Before::Accepting,
        at(Span::days(999)),
        &[],
        State::Accepting,
    );
    check(Before::Accepted, before_it(accepted_kept), &[], CONNECTED);
    check(
        Before::Accepted,
        at(accepted_kept),
        &gone(CONNECTED, Happening::Forgotten),
        State::Gone,
    );
    check(Before::Withdrawn, before_it(kept), &[], State::Withdrawn);
    check(
        Before::Withdrawn,
        at(kept),
        &gone(State::Withdrawn, Happening::Forgotten),
        State::Gone,
    );
    check(declined, before_it(kept), &[], State::Declined);
    check(
        declined,
        at(kept),
        &gone(State::Declined, Happening::Forgotten),
        State::Gone,
    );
    check(
        declined,
        at(cooldown),
        &gone(State::Declined, Happening::Forgotten),
        State::Gone,
    );
    check(Before::DeclinedForgotten, at(cooldown), &[], State::Gone);
}

#[test]
fn a_wait_is_kept_until_it_is_over_and_a_bar_longer() {
    let cooldown = policy().decline_cooldown;
    // The time, whether the wait is still known, and whether the bar is.
    let check = |now, waits: bool| {
        let mut pair = pair(Before::Declined(DeclineReason::Spam));
        review(&mut pair, now);
        assert_eq!(pair.declined.low.is_some(), waits, "{now:?}");
        assert!(pair.bars.low.is_some(), "{now:?}");
    };
    check(at(DAY), true);
    check(before_it(cooldown), true);
    check(at(cooldown), false);
    check(at(Span::days(999)), false);
}

#[test]
fn a_wait_that_ended_early_goes_with_the_day_in_which_the_invitee_sees_the_decline() {
    let check = |now, waits: bool| {
        let mut pair = pair(Before::Declined(DeclineReason::NotNow));
        pair.declined.low.as_mut().unwrap().cooldown_until = START;
        review(&mut pair, now);
        assert_eq!(pair.declined.low.is_some(), waits, "{now:?}");
    };
    check(before_it(DAY), true);
    check(at(DAY), false);
}

#[test]
fn withdrawn_ones_go_one_by_one() {
    let withdrawn = |number, hours| Withdrawn {
        invitation: invitation(id(number), INVITER),
        kept_until: at(Span::hours(hours)),
    };
    let check = |now, expected: &[u128]| {
        let mut pair = pair(Before::Nothing);
        pair.withdrawn = vec![
            withdrawn(1, 1),
            withdrawn(2, 2),
            withdrawn(3, 2),
            withdrawn(4, 3),
        ];
        let gone: Vec<_> = review(&mut pair, now)
            .iter()
            .map(|step| step.invitation.id)
            .collect();
        assert_eq!(
            gone,
            expected
                .iter()
                .map(|number| id(*number))
                .collect::<Vec<_>>(),
            "{now:?}"
        );
        assert_eq!(pair.withdrawn.len(), 4 - expected.len());
    };
    check(before_it(Span::hours(1)), &[]);
    check(at(Span::hours(1)), &[1]);
    check(before_it(Span::hours(2)), &[1]);
    check(at(Span::hours(2)), &[1, 2, 3]);
    check(at(Span::hours(3)), &[1, 2, 3, 4]);
}

#[test]
fn the_next_deadline_is_when_review_has_something_to_do() {
    for before in [
        Before::Pending,
        Before::Accepted,
        Before::Withdrawn,
        Before::Declined(DeclineReason::NotNow),
        Before::Declined(DeclineReason::Spam),
        Before::DeclinedForgotten,
    ] {
        let mut pair = pair(before);
        let deadline = pair.next_deadline(CURSOR, START).unwrap();
        let unchanged = pair.clone();
        assert_eq!(review(&mut pair, deadline.minus(TICK)), [], "{before:?}");
        assert_eq!(pair, unchanged, "{before:?}");
        review(&mut pair, deadline);
        assert_ne!(pair, unchanged, "{before:?}");
    }
}

#[test]
fn an_acceptance_is_taken_up_when_its_time_has_come() {
    let check = |before, now, taken: bool| {
        let mut pair = pair(before);
        let unchanged = pair.clone();
        assert_eq!(
            take_up(&mut pair, &policy(), now, 0),
            taken,
            "{before:?} at {now:?}"
        );
        assert_eq!(pair != unchanged, taken);
    };
    let first = policy().acceptance_first_retry;
    check(Before::Accepting, START, false);
    check(Before::Accepting, before_it(first), false);
    check(Before::Accepting, at(first), true);
    check(Before::Accepting, at(Span::days(999)), true);
    check(Before::Nothing, at(first), false);
    check(Before::Pending, at(first), false);
    check(Before::Accepted, at(first), false);
    check(Before::Withdrawn, at(first), false);
}

#[test]
fn attempts_are_put_off_by_a_growing_wait_with_an_upper_bound() {
    let mut policy = policy();
    policy.acceptance_first_retry = Span::seconds(1);
    policy.acceptance_retry_max = Span::seconds(30);
    // How many attempts were made, and the shortest and longest wait until the next after this one, in milliseconds.
    let check = |attempts, shortest: i64, longest: i64| {
        let wait = |jitter| {
            let mut pair = pair(Before::Accepting);
            let acceptance = pair.live.as_mut().unwrap().acceptance.as_mut().unwrap();
            acceptance.attempts = attempts;
            let now = at(DAY);
            assert!(take_up(&mut pair, &policy, now, jitter));
            let acceptance = pair.live.unwrap().acceptance.unwrap();
            assert_eq!(acceptance.attempts, attempts.saturating_add(1));
            acceptance.next_attempt.since(now).as_millis()
        };
        assert_eq!(wait(0), shortest, "{attempts}");
        let half = u32::try_from(shortest).unwrap();
        assert_eq!(wait(half - 1), longest, "{attempts}");
        assert_eq!(wait(half), shortest, "{attempts}");
        assert!((shortest..=longest).contains(&wait(u32::MAX)), "{attempts}");
    };
    check(0, 500, 999);
    check(1, 1_000, 1_999);
    check(2, 2_000, 3_999);
    check(4, 8_000, 15_999);
    check(5, 15_000, 29_999);
    check(6, 15_000, 29_999);
    check(1_000, 15_000, 29_999);
    check(u32::MAX, 15_000, 29_999);
}

#[test]
fn what_the_feed_says_is_not_times_affair() {
    let mut pair = pair(Before::Nothing);
    *pair.facts.blocked_by.get_mut(INVITEE) = true;
    let unchanged = pair.clone();
    assert_eq!(review(&mut pair, at(Span::days(999))), []);
    assert_eq!(pair, unchanged);
    assert_ne!(pair.facts, Facts::default());
}

//! Strikes, the ladder of restrictions, and what operators do about them.

use service_kit::time::Span;

use crate::domain::standing::{
    Cause, Flag, Level, Outcome, Restriction,
    fixture::{Inviter, tag, terms},
};

#[test]
fn each_strike_restricts_for_longer_and_needs_ten_more_outcomes() {
    let mut inviter = Inviter::known();
    inviter.sends_ending(19, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Normal);
    for (strike, hours) in [(1, 3), (2, 48), (3, 7 * 24), (4, 30 * 24), (5, 30 * 24)] {
        inviter.sends_ending(1, Outcome::Declined);
        assert_eq!(
            inviter.restricted_for(),
            Some(Span::hours(hours)),
            "strike {strike}"
        );
        assert_eq!(inviter.level(), Level::Restricted);
        inviter.pass(Span::hours(hours));
        assert_eq!(inviter.level(), Level::Limited, "after strike {strike}");
        inviter.sends_ending(9, Outcome::Declined);
        assert_eq!(inviter.level(), Level::Limited, "9 more outcomes");
    }
}

#[test]
fn a_rate_of_exactly_a_tenth_is_no_strike() {
    let mut inviter = Inviter::known();
    inviter.sends_ending(2, Outcome::Accepted);
    inviter.sends_ending(18, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Limited);
    inviter.sends_ending(1, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Restricted);
}

#[test]
fn strikes_are_forgotten_ninety_days_after_the_last() {
    // After 90 days the first ones are no longer looked at, and it takes 20 to conclude anything.
    let strike_after = |span: Span, outcomes| {
        let mut inviter = Inviter::known();
        inviter.sends_ending(20, Outcome::Declined);
        let struck = inviter.now;
        inviter.now = struck.plus(span);
        inviter.sends_ending(outcomes, Outcome::Declined);
        inviter.restricted_for()
    };
    assert_eq!(strike_after(Span::days(80), 10), Some(Span::hours(48)));
    assert_eq!(strike_after(Span::days(90), 20), Some(Span::hours(3)));
}

#[test]
fn a_restriction_that_lasts_longer_is_not_made_shorter() {
    let mut inviter = Inviter::known();
    inviter
        .standing
        .impose_restriction(inviter.now.plus(Span::days(5)));
    inviter.sends_ending(20, Outcome::Declined);
    let known = inviter.standing.known(inviter.now, &terms(&inviter.policy));
    assert_eq!(known.strikes, 1);
    assert_eq!(inviter.restricted_for(), Some(Span::days(5)));
    assert_eq!(known.restriction.map(|it| it.cause), Some(Cause::Operator));
}

#[test]
fn a_second_flag_while_limited_is_a_strike_whichever_comes_first() {
    let limit = |inviter: &mut Inviter| {
        inviter.sends_ending(5, Outcome::Accepted);
        inviter.sends_ending(21, Outcome::Declined);
    };
    let copy = |inviter: &mut Inviter| {
        for member in 0..30 {
            inviter.send_noted(tag(member), Some(tag(77)));
        }
    };
    let mut first_limited = Inviter::known();
    limit(&mut first_limited);
    assert_eq!(first_limited.level(), Level::Limited);
    copy(&mut first_limited);
    let mut first_flagged = Inviter::known();
    copy(&mut first_flagged);
    assert_eq!(
        first_flagged.level(),
        Level::Normal,
        "a flag alone limits nobody"
    );
    limit(&mut first_flagged);
    for inviter in [first_limited, first_flagged] {
        let restriction = Restriction {
            until: inviter.now.plus(Span::hours(3)),
            cause: Cause::Strike(Flag::SameNote),
        };
        assert_eq!(
            inviter.look().restriction(&inviter.policy),
            Some(restriction)
        );
    }
}

#[test]
fn a_lifted_restriction_is_over_and_the_next_strike_needs_ten_outcomes_again() {
    let mut inviter = Inviter::known();
    inviter.sends_ending(25, Outcome::Declined);
    assert!(inviter.standing.lift_restriction());
    assert!(
        !inviter.standing.lift_restriction(),
        "a repeat changes nothing"
    );
    assert_eq!(inviter.level(), Level::Limited);
    inviter.sends_ending(9, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Limited);
    inviter.sends_ending(1, Outcome::Declined);
    assert_eq!(
        inviter.restricted_for(),
        Some(Span::hours(48)),
        "the first counts on"
    );
}

#[test]
fn an_imposed_restriction_takes_the_place_of_any_other_and_ends_by_itself() {
    let mut inviter = Inviter::known();
    let until = inviter.now.plus(Span::days(2));
    assert!(inviter.standing.impose_restriction(until));
    assert!(
        !inviter.standing.impose_restriction(until),
        "a repeat changes nothing"
    );
    inviter.pass(Span::days(2));
    assert_eq!(inviter.level(), Level::Normal);
}

#[test]
fn an_operators_cap_holds_in_place_of_plan_and_standing_but_not_of_a_restriction() {
    let mut inviter = Inviter::new();
    let plan = crate::domain::plan::Limits {
        weekly_cap: 30,
        pending_sent_max: 100,
        pending_received_soft_max: 100,
    };
    let cap = |inviter: &Inviter| inviter.look().limits(plan, &inviter.policy).weekly_cap;
    assert_eq!(cap(&inviter), 30);
    assert!(inviter.standing.set_weekly_cap(Some(500)));
    assert!(
        !inviter.standing.set_weekly_cap(Some(500)),
        "a repeat changes nothing"
    );
    assert_eq!(cap(&inviter), 500);
    inviter
        .standing
        .impose_restriction(inviter.now.plus(Span::days(1)));
    assert_eq!(cap(&inviter), 0);
    inviter.pass(Span::days(1));
    assert_eq!(cap(&inviter), 500);
    assert!(inviter.standing.set_weekly_cap(None));
    assert_eq!(cap(&inviter), 30);
}

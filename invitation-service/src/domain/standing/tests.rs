use service_kit::time::Span;

use super::{
    fixture::{Inviter, START, tag, terms},
    *,
};
use crate::domain::plan::Limits;

const PLAN: Limits = Limits {
    weekly_cap: 200,
    pending_sent_max: 3_000,
    pending_received_soft_max: 10_000,
};

fn caps(inviter: &Inviter) -> (u32, u32) {
    let limits = inviter.look().limits(PLAN, &inviter.policy);
    (limits.weekly_cap, limits.pending_sent_max)
}

#[test]
fn new_ends_after_twenty_outcomes_and_thirty_days() {
    let mut inviter = Inviter::new();
    inviter.pass(Span::days(400));
    assert_eq!((inviter.level(), caps(&inviter)), (Level::New, (50, 1_500)));
    inviter.sends_ending(19, Outcome::Accepted);
    inviter.pass(Span::days(30).minus_one());
    assert_eq!(inviter.level(), Level::New);
    inviter.sends_ending(1, Outcome::Accepted);
    assert_eq!(inviter.level(), Level::New);
    // The clock alone ends it.
    inviter.pass(Span::millis(1));
    assert_eq!(
        (inviter.level(), caps(&inviter)),
        (Level::Normal, (100, 1_500))
    );

    let mut slow = Inviter::new();
    slow.sends_ending(19, Outcome::Accepted);
    slow.pass(Span::days(31));
    assert_eq!(slow.level(), Level::New);
    slow.sends_ending(1, Outcome::Accepted);
    assert_eq!(slow.level(), Level::Normal);
}

trait MinusOne {
    fn minus_one(self) -> Self;
}

impl MinusOne for Span {
    fn minus_one(self) -> Self {
        Self::millis(self.as_millis() - 1)
    }
}

#[test]
fn limited_when_the_rate_falls_under_a_fifth_of_twenty_outcomes() {
    let mut inviter = Inviter::known();
    inviter.sends_ending(4, Outcome::Accepted);
    inviter.sends_ending(15, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Normal, "19 outcomes");
    inviter.sends_ending(1, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Normal, "exactly a fifth");
    assert_eq!(inviter.flags(), []);
    inviter.sends_ending(1, Outcome::Declined);
    assert_eq!(
        (inviter.level(), caps(&inviter)),
        (Level::Limited, (25, 1_500))
    );
    assert_eq!(inviter.flags(), [Flag::LowAcceptance]);
}

#[test]
fn limited_ends_above_thirty_percent_when_seven_days_have_passed() {
    let mut inviter = Inviter::known();
    inviter.sends_ending(4, Outcome::Accepted);
    inviter.sends_ending(17, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Limited);
    inviter.sends_ending(3, Outcome::Accepted);
    // 7 of 24 are 29 %, and no sign of low acceptance any more.
    assert_eq!((inviter.level(), inviter.flags()), (Level::Limited, vec![]));
    inviter.pass(Span::days(8));
    assert_eq!(inviter.level(), Level::Limited, "29 %");
    inviter.sends_ending(1, Outcome::Accepted);
    assert_eq!(inviter.level(), Level::Normal, "8 of 25");

    let mut quick = Inviter::known();
    quick.sends_ending(4, Outcome::Accepted);
    quick.sends_ending(17, Outcome::Declined);
    quick.sends_ending(20, Outcome::Accepted);
    quick.pass(Span::days(7).minus_one());
    assert_eq!(quick.level(), Level::Limited);
    quick.pass(Span::millis(1));
    assert_eq!(quick.level(), Level::Normal);
}

#[test]
fn whoever_is_new_is_new_again_after_being_limited() {
    let mut inviter = Inviter::new();
    inviter.sends_ending(4, Outcome::Accepted);
    inviter.sends_ending(17, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Limited);
    inviter.sends_ending(20, Outcome::Accepted);
    inviter.pass(Span::days(7));
    assert_eq!(inviter.level(), Level::New);
    inviter.pass(Span::days(23));
    assert_eq!(inviter.level(), Level::Normal);
}

#[test]
fn whoever_is_new_is_limited_already_under_a_third() {
    let mut inviter = Inviter::new();
    inviter.sends_ending(7, Outcome::Accepted);
    inviter.sends_ending(14, Outcome::Declined);
    assert_eq!(inviter.level(), Level::New, "7 of 21 are 33 %");
    inviter.sends_ending(1, Outcome::Declined);
    assert_eq!((inviter.level(), inviter.flags()), (Level::Limited, vec![]));
    inviter.pass(Span::days(8));
    assert_eq!(inviter.level(), Level::Limited, "it would begin anew");
    let mut better = inviter.clone();
    better.sends_ending(1, Outcome::Accepted);
    assert_eq!(better.level(), Level::New, "8 of 23");
    // Who is known by now is asked for no more than everybody.
    inviter.pass(Span::days(22));
    assert_eq!(inviter.level(), Level::Normal, "7 of 22");
}

#[test]
fn trusted_from_sixty_percent_of_fifty_until_below_fifty_percent() {
    let mut inviter = Inviter::known();
    inviter.sends_ending(29, Outcome::Accepted);
    inviter.sends_ending(20, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Normal, "49 outcomes");
    inviter.sends_ending(1, Outcome::Accepted);
    assert_eq!(inviter.level(), Level::Trusted, "30 of 50");
    assert_eq!(caps(&inviter), (200, 3_000));
    inviter.sends_ending(10, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Trusted, "30 of 60");
    inviter.sends_ending(1, Outcome::Declined);
    assert_eq!(inviter.level(), Level::Normal);

    let mut few = Inviter::known();
    few.sends_ending(49, Outcome::Accepted);
    assert_eq!(few.level(), Level::Normal);
}

#[test]
fn nothing_left_to_judge_by_ends_trust_and_limits() {
    let mut trusted = Inviter::known();
    trusted.sends_ending(60, Outcome::Accepted);
    assert_eq!(trusted.level(), Level::Trusted);
    let mut limited = Inviter::known();
    limited.sends_ending(3, Outcome::Accepted);
    limited.sends_ending(18, Outcome::Declined);
    for (mut inviter, level) in [(trusted, Level::Trusted), (limited, Level::Limited)] {
        // The current week and twelve before: the thirteenth Monday ends it.
        let last = Day::of(inviter.now).week();
        inviter.pass(Span::days(7 * 11));
        assert_eq!(inviter.level(), level);
        while Week::of(inviter.now).minus(12) <= last {
            assert_eq!(inviter.level(), level);
            inviter.pass(Span::days(1));
        }
        assert_eq!(inviter.level(), Level::Normal);
    }
}

#[test]
fn unanswered_counts_as_expired_on_the_twenty_first_day_until_it_is_answered() {
    let mut inviter = Inviter::new();
    let known = |inviter: &Inviter| inviter.standing.known(inviter.now, &terms(&inviter.policy));
    let [first, second, third] = inviter.sends(3)[..] else {
        panic!("three")
    };
    inviter.now = START.plus(Span::days(21)).minus(Span::millis(1));
    assert_eq!((known(&inviter).outcomes, known(&inviter).pending), (0, 3));
    inviter.now = START.plus(Span::days(21));
    let overdue = known(&inviter);
    assert_eq!(
        (overdue.counts.expired, overdue.overdue, overdue.pending),
        (3, 3, 3)
    );
    assert_eq!(overdue.outcomes, 3);

    inviter.end(Outcome::Accepted, first);
    inviter.end(Outcome::Expired, second);
    inviter.gone(third);
    let after = known(&inviter);
    assert_eq!((after.counts.accepted, after.counts.expired), (1, 1));
    assert_eq!((after.overdue, after.pending, after.outcomes), (0, 0, 2));
}

#[test]
fn what_was_never_answered_leaves_the_weeks_with_what_was() {
    let mut inviter = Inviter::known();
    let sent = inviter.sends(60);
    inviter.pass(Span::days(1));
    for sent in &sent[..20] {
        inviter.end(Outcome::Accepted, *sent);
    }
    // 20 of 20 + ½ · 40 is half; and never less, however long nothing else happens.
    for _ in 0..120 {
        inviter.pass(Span::days(1));
        assert_ne!(inviter.level(), Level::Limited);
    }
    let after = inviter.standing.known(inviter.now, &terms(&inviter.policy));
    assert_eq!((after.counts.outcomes(), after.overdue), (0, 40));
}

#[test]
fn an_end_of_what_was_sent_before_anything_was_counted_is_counted() {
    let mut inviter = Inviter::new();
    inviter.end(Outcome::Declined, START.minus(Span::days(100)));
    inviter.gone(START.minus(Span::days(3)));
    let known = inviter.standing.known(inviter.now, &terms(&inviter.policy));
    assert_eq!(
        (known.counts.declined, known.outcomes, known.pending),
        (1, 1, 0)
    );
}

#[test]
fn a_decline_taken_back_or_strengthened_changes_what_it_counts_as() {
    let mut inviter = Inviter::new();
    let known = |inviter: &Inviter| inviter.standing.known(inviter.now, &terms(&inviter.policy));
    let sent = inviter.send();
    inviter.pass(Span::days(6));
    let declined = inviter.now;
    inviter.end(Outcome::Declined, sent);
    inviter.pass(Span::hours(23));
    inviter
        .standing
        .reported_after_all(declined, inviter.now, &terms(&inviter.policy));
    let counts = known(&inviter).counts;
    assert_eq!((counts.declined, counts.reported), (0, 1));
    inviter.undo(Outcome::Reported, (sent, declined));
    let after = known(&inviter);
    assert_eq!(
        (after.counts.outcomes(), after.outcomes, after.pending),
        (0, 0, 1)
    );

    inviter.now = sent.plus(Span::days(30));
    let declined = inviter.now;
    inviter.end(Outcome::Declined, sent);
    inviter.undo(Outcome::Declined, (sent, declined));
    let late = known(&inviter);
    assert_eq!((late.counts.expired, late.counts.declined), (1, 0));
    assert_eq!((late.outcomes, late.overdue, late.pending), (1, 1, 1));
}

#[test]
fn off_counts_nothing_and_holds_to_what_operators_do() {
    let mut inviter = Inviter::new();
    inviter.policy.mode = Mode::Off;
    inviter.sends_ending(100, Outcome::Reported);
    assert_eq!((inviter.level(), inviter.flags()), (Level::Normal, vec![]));
    assert_eq!(caps(&inviter), (100, 1_500));
    inviter
        .standing
        .impose_restriction(inviter.now.plus(Span::days(1)));
    assert_eq!((inviter.level(), caps(&inviter).0), (Level::Restricted, 0));
    inviter.pass(Span::days(1));
    inviter.standing.set_weekly_cap(Some(7));
    assert_eq!((inviter.level(), caps(&inviter).0), (Level::Normal, 7));
}

#[test]
fn what_happens_while_off_leaves_nothing_behind_that_would_be_wrong() {
    let mut inviter = Inviter::new();
    let first = inviter.send();
    inviter.sends_ending(30, Outcome::Reported);
    inviter.standing.set_weekly_cap(Some(7));
    inviter.policy.mode = Mode::Off;
    inviter.end(Outcome::Accepted, first);
    inviter.policy.mode = Mode::Enforce;
    // Were the first still waiting, it would count as expired.
    inviter.pass(Span::days(30));
    let known = inviter.standing.known(inviter.now, &terms(&inviter.policy));
    assert_eq!(known.counts, Counts::default());
    assert_eq!((known.pending, known.outcomes, known.strikes), (0, 0, 0));
    assert_eq!((known.level, known.restriction), (Level::New, None));
    assert_eq!(known.weekly_cap, Some(7));
}

#[test]
fn shadow_concludes_everything_and_applies_nothing() {
    let mut inviter = Inviter::new();
    inviter.policy.mode = Mode::Shadow;
    assert_eq!(
        (inviter.level(), caps(&inviter)),
        (Level::New, (100, 1_500))
    );
    inviter.sends_ending(20, Outcome::Reported);
    assert_eq!(inviter.level(), Level::Restricted);
    assert_eq!(inviter.flags(), [Flag::LowAcceptance]);
    let look = inviter.look();
    assert!(look.restriction(&inviter.policy).is_some());
    assert_eq!(look.restriction_in_force(&inviter.policy), None);
    assert_eq!(caps(&inviter), (100, 1_500));
}

#[test]
fn the_lower_of_plan_and_standing_is_in_force() {
    let small = Limits {
        weekly_cap: 30,
        pending_sent_max: 40,
        pending_received_soft_max: 5,
    };
    let inviter = Inviter::new();
    assert_eq!(inviter.look().limits(small, &inviter.policy), small);
    let large = Limits {
        weekly_cap: 10_000,
        pending_sent_max: 10_000,
        pending_received_soft_max: 20_000,
    };
    let limits = inviter.look().limits(large, &inviter.policy);
    assert_eq!((limits.weekly_cap, limits.pending_sent_max), (50, 1_500));
    assert_eq!(limits.pending_received_soft_max, 20_000);
}

#[test]
fn a_member_is_told_the_figures_that_stood_when_the_day_began() {
    let mut inviter = Inviter::new();
    let told = |inviter: &Inviter| inviter.standing.told(inviter.now, &terms(&inviter.policy));
    inviter.sends_ending(11, Outcome::Accepted);
    inviter.sends_ending(10, Outcome::Declined);
    inviter.send();
    assert_eq!(told(&inviter).figures, Figures::default());
    assert_eq!(told(&inviter).figures_time, START);
    inviter.now = START.plus(Span::days(1));
    let figures = Figures {
        sent: 22,
        accepted: 11,
        others: 10,
        rate_percent: Some(50),
    };
    assert_eq!(told(&inviter).figures, figures);
    // What happens today shows tomorrow; the flag and the level show at once.
    inviter.sends_ending(40, Outcome::Declined);
    let today = told(&inviter);
    assert_eq!((today.figures, today.level), (figures, Level::Limited));
    assert!(today.flags.contains(Flag::LowAcceptance));
    inviter.pass(Span::hours(24));
    let figures = Figures {
        sent: 62,
        accepted: 11,
        others: 50,
        rate_percent: Some(15),
    };
    assert_eq!(told(&inviter).figures, figures);
    assert_eq!(told(&inviter).figures_time, START.plus(Span::days(2)));
    // Off shows nothing of it.
    inviter.policy.mode = Mode::Off;
    let off = told(&inviter);
    assert_eq!(
        (off.level, off.figures),
        (Level::Normal, Figures::default())
    );
    assert!(off.flags.is_empty());
}

#[test]
fn a_clock_set_back_changes_nothing() {
    let mut inviter = Inviter::known();
    inviter.sends_ending(20, Outcome::Reported);
    let before = inviter.clone();
    inviter.now = START;
    assert_eq!(inviter.look(), before.standing);
    assert_eq!(inviter.level(), Level::Restricted);
    inviter.send_noted(tag(1), None);
    assert_eq!(inviter.standing.clock, before.now);
}

mod flags;
mod strikes;

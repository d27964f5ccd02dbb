//! The signs that raise a flag, each at its border.

use service_kit::time::Span;

use crate::domain::standing::{
    Flag, Outcome,
    fixture::{Inviter, tag},
};

#[test]
fn churn_is_more_than_half_of_twenty_withdrawn_within_thirty_days() {
    let check = |sent: usize, withdrawn: usize, expected: &[Flag]| {
        let mut inviter = Inviter::new();
        let times = inviter.sends(sent);
        for time in &times[..withdrawn] {
            inviter.end(Outcome::Withdrawn, *time);
        }
        let churn = [Flag::WithdrawalChurn];
        let flags: Vec<_> = inviter
            .flags()
            .into_iter()
            .filter(|flag| churn.contains(flag))
            .collect();
        assert_eq!(flags, expected, "{withdrawn} of {sent}");
    };
    check(19, 19, &[]);
    check(20, 10, &[]);
    check(20, 11, &[Flag::WithdrawalChurn]);
    check(21, 11, &[Flag::WithdrawalChurn]);
}

#[test]
fn churn_is_over_when_what_was_withdrawn_was_sent_more_than_thirty_days_ago() {
    let mut inviter = Inviter::new();
    inviter.sends_ending(10, Outcome::Accepted);
    for time in inviter.sends(12) {
        inviter.end(Outcome::Withdrawn, time);
    }
    inviter.pass(Span::days(29));
    assert_eq!(inviter.flags(), [Flag::WithdrawalChurn]);
    inviter.pass(Span::days(1));
    assert_eq!(inviter.flags(), []);
}

#[test]
fn tidying_up_what_was_long_unanswered_is_no_churn() {
    let mut inviter = Inviter::new();
    let old = inviter.sends(100);
    inviter.pass(Span::days(31));
    inviter.sends(20);
    for time in old {
        inviter.withdraw(tag(1), time);
    }
    assert!(!inviter.flags().contains(&Flag::WithdrawalChurn));
}

#[test]
fn three_rounds_on_one_pair_within_thirty_days_are_churn() {
    let mut inviter = Inviter::new();
    for round in 1..=3 {
        let other = inviter.send_noted(tag(8), None);
        inviter.withdraw(tag(8), other);
        inviter.pass(Span::days(14));
        let sent = inviter.send_noted(tag(7), None);
        inviter.withdraw(tag(7), sent);
        let expected: &[Flag] = if round == 3 {
            &[Flag::WithdrawalChurn]
        } else {
            &[]
        };
        assert_eq!(inviter.flags(), expected, "{round} rounds");
    }
    inviter.pass(Span::days(2));
    assert_eq!(inviter.flags(), [], "the first was 30 days ago");
}

#[test]
fn the_same_note_to_thirty_members_in_seven_days() {
    let mut inviter = Inviter::new();
    let note = Some(tag(1));
    for member in 0..29 {
        inviter.send_noted(tag(100 + member), note);
        inviter.send_noted(tag(500 + member), Some(tag(900 + member)));
        inviter.send_noted(tag(700 + member), None);
    }
    let again = inviter.send_noted(tag(100), note);
    assert_eq!(inviter.flags(), [], "29 members");
    inviter.send_noted(tag(200), note);
    assert_eq!(inviter.flags(), [Flag::SameNote]);
    // Taking it back does not make it unsaid.
    inviter.withdraw(tag(100), again);
    inviter.pass(Span::days(6));
    assert_eq!(inviter.flags(), [Flag::SameNote]);
    inviter.pass(Span::days(1));
    assert_eq!(inviter.flags(), []);
}

#[test]
fn three_hundred_unanswered_for_long_are_too_many() {
    let mut inviter = Inviter::new();
    let mut sent = inviter.sends(300);
    inviter.pass(Span::days(20));
    assert_eq!(inviter.flags(), []);
    inviter.pass(Span::days(1));
    // Silence is a low rate, too.
    assert_eq!(
        inviter.flags(),
        [Flag::LowAcceptance, Flag::TooManyUnanswered]
    );
    inviter.end(Outcome::Accepted, sent.pop().unwrap());
    assert_eq!(inviter.flags(), [Flag::LowAcceptance]);
}

#[test]
fn four_fifths_of_the_pending_cap_are_too_many() {
    let mut inviter = Inviter::new();
    let mut sent = inviter.sends(1_199);
    assert_eq!(inviter.flags(), []);
    sent.push(inviter.send());
    assert_eq!(inviter.flags(), [Flag::TooManyUnanswered]);
    inviter.end(Outcome::Accepted, sent.pop().unwrap());
    assert_eq!(inviter.flags(), []);
    // Under a plan with a lower cap it is that which counts.
    let mut small = Inviter::new();
    small.policy.pending_sent_max = 10;
    small.sends(7);
    assert_eq!(small.flags(), []);
    small.send();
    assert_eq!(small.flags(), [Flag::TooManyUnanswered]);
}

#[test]
fn a_cleared_flag_stays_down_until_its_sign_has_gone_and_come_back() {
    let mut inviter = Inviter::known();
    inviter.sends_ending(4, Outcome::Accepted);
    inviter.sends_ending(17, Outcome::Declined);
    assert!(inviter.standing.clear_flags());
    assert!(!inviter.standing.clear_flags(), "a repeat changes nothing");
    assert_eq!(inviter.flags(), []);
    inviter.sends_ending(1, Outcome::Declined);
    assert_eq!(inviter.flags(), [], "the sign was never gone");
    inviter.sends_ending(2, Outcome::Accepted);
    inviter.sends_ending(10, Outcome::Declined);
    assert_eq!(inviter.flags(), [Flag::LowAcceptance], "it was, at 6 of 24");

    let mut copying = Inviter::new();
    for member in 0..30 {
        copying.send_noted(tag(member), Some(tag(1_000)));
    }
    copying.standing.clear_flags();
    copying.send_noted(tag(99), Some(tag(1_000)));
    assert_eq!(copying.flags(), [], "it is counted anew");
}

//! What a member sent lately, by the day: how much of it was withdrawn, and how much is still unanswered.
//!
//! Of an invitation nothing is kept here but that it is one of so many of its day. So it is known without looking at invitations how many
//! have been unanswered for long: those of a day become so together. Deliberately absent: invitations older than that, which are one number.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{calendar::Day, policy::StandingPolicy};

/// The most days that can be looked at.
pub const DAYS_MAX: u16 = 60;

/// What was sent on a day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sends {
    pub(super) sent: u32,
    /// Of these: withdrawn since by the inviter's own act.
    pub(super) withdrawn: u32,
    /// Of these: unanswered, and not yet for so long that they count as expired.
    pub(super) waiting: u32,
}

/// What was sent, by the day; days of which nothing need be known are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Days(BTreeMap<Day, Sends>);

impl Days {
    /// One more was sent on a day, and waits.
    pub(super) fn count_sent(&mut self, day: Day) {
        let sends = self.0.entry(day).or_default();
        sends.sent = sends.sent.saturating_add(1);
        sends.waiting = sends.waiting.saturating_add(1);
    }

    /// One of those sent on a day waits again.
    pub(super) fn count_waiting(&mut self, day: Day) {
        let sends = self.0.entry(day).or_default();
        sends.waiting = sends.waiting.saturating_add(1);
    }

    /// One of those sent on a day waits no more; false where none of that day did.
    pub(super) fn answered(&mut self, day: Day) -> bool {
        let waiting = self.0.get_mut(&day).map(|sends| &mut sends.waiting);
        let Some(waiting) = waiting.filter(|waiting| **waiting > 0) else {
            return false;
        };
        *waiting = waiting.saturating_sub(1);
        true
    }

    /// One of those sent on a day was withdrawn.
    pub(super) fn count_withdrawn(&mut self, day: Day) {
        if let Some(sends) = self.0.get_mut(&day) {
            sends.withdrawn = sends.withdrawn.saturating_add(1);
        }
    }

    /// Takes out, with their days, those that have waited so long by a day that they count as expired.
    pub(super) fn take_overdue(&mut self, today: Day, policy: &StandingPolicy) -> Vec<(Day, u32)> {
        let last = today.minus(policy.unanswered_days());
        let due = self.0.range_mut(..=last);
        due.map(|(day, sends)| (*day, std::mem::take(&mut sends.waiting)))
            .filter(|(_, waiting)| *waiting > 0)
            .collect()
    }

    /// Forgets days of which nothing need be known any more.
    pub(super) fn forget(&mut self, today: Day, policy: &StandingPolicy) {
        let border = today.minus(policy.churn_days());
        self.0
            .retain(|day, sends| sends.waiting > 0 || *day > border);
    }

    /// Of how many sent in the days that are looked at for churn how many were withdrawn.
    pub(super) fn churn(&self, today: Day, policy: &StandingPolicy) -> (u32, u32) {
        let first = today.minus(policy.churn_days().saturating_sub(1));
        let sends = self.0.range(first..).map(|(_, sends)| sends);
        sends.fold((0, 0), |(sent, withdrawn), sends| {
            (
                u32::saturating_add(sent, sends.sent),
                u32::saturating_add(withdrawn, sends.withdrawn),
            )
        })
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> u32 {
        self.0
            .values()
            .fold(0, |sum, sends| u32::saturating_add(sum, sends.waiting))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are no more than can be looked at.
    pub(super) fn is_valid(&self) -> bool {
        self.0.len() <= usize::from(DAYS_MAX) + 1
    }
}

#[cfg(test)]
mod tests {
    use service_kit::time::{Span, Time};

    use super::*;

    fn day(n: i64) -> Day {
        Day::of(Time::ZERO.plus(Span::days(20_000 + n)))
    }

    #[test]
    fn an_invitation_is_overdue_on_the_twenty_first_day_after_that_of_its_sending() {
        let policy = StandingPolicy::default();
        let mut days = Days::default();
        days.count_sent(day(0));
        days.count_sent(day(0));
        days.count_sent(day(1));
        assert!(days.answered(day(0)));
        assert_eq!(days.waiting(), 2);
        assert_eq!(days.take_overdue(day(20), &policy), []);
        assert_eq!(days.take_overdue(day(21), &policy), [(day(0), 1)]);
        assert_eq!(days.take_overdue(day(21), &policy), []);
        assert!(!days.answered(day(0)), "it is no longer known by its day");
        assert_eq!(days.take_overdue(day(40), &policy), [(day(1), 1)]);
        assert_eq!(days.waiting(), 0);
    }

    #[test]
    fn churn_looks_at_what_was_sent_today_and_on_the_twenty_nine_days_before() {
        let policy = StandingPolicy::default();
        let mut days = Days::default();
        days.count_sent(day(0));
        days.count_withdrawn(day(0));
        days.count_sent(day(29));
        assert_eq!(days.churn(day(29), &policy), (2, 1));
        assert_eq!(days.churn(day(30), &policy), (1, 0));
        days.count_withdrawn(day(7));
        assert_eq!(
            days.churn(day(29), &policy),
            (2, 1),
            "nothing was sent then"
        );
    }

    #[test]
    fn a_day_is_forgotten_when_nothing_asks_for_it_any_more() {
        let policy = StandingPolicy::default();
        let mut days = Days::default();
        days.count_sent(day(0));
        days.forget(day(90), &policy);
        assert_eq!(days.waiting(), 1, "it waits");
        assert!(days.answered(day(0)));
        days.forget(day(29), &policy);
        assert!(!days.is_empty());
        days.forget(day(30), &policy);
        assert!(days.is_empty());
        days.count_waiting(day(3));
        assert_eq!((days.waiting(), days.churn(day(3), &policy)), (1, (0, 0)));
    }
}

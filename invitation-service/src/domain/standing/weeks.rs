//! The outcomes of a member's invitations, counted by the week, and the rate of acceptance.
//!
//! Deliberately absent: floating-point numbers; rates are compared as fractions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{calendar::Week, policy::StandingPolicy};

/// The most weeks that can be looked at.
pub const WEEKS_MAX: u16 = 26;

/// What became of an invitation, as it counts for its inviter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The two are connected.
    Accepted,
    /// Declined.
    Declined,
    /// Declined with "I don't know this person" or as spam.
    Reported,
    /// Nobody answered in time, or the inviter's standing wish withdrew it.
    Expired,
    /// Withdrawn by the inviter's own act.
    Withdrawn,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [
        Self::Accepted,
        Self::Declined,
        Self::Reported,
        Self::Expired,
        Self::Withdrawn,
    ];
}

/// How many invitations were sent, and how many had which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Sent.
    pub sent: u32,
    /// Of these and others: accepted,
    pub accepted: u32,
    /// declined,
    pub declined: u32,
    /// reported,
    pub reported: u32,
    /// expired, or unanswered for so long that they count as such,
    pub expired: u32,
    /// withdrawn.
    pub withdrawn: u32,
}

impl Counts {
    /// How many had this outcome.
    pub fn of(&self, outcome: Outcome) -> u32 {
        match outcome {
            Outcome::Accepted => self.accepted,
            Outcome::Declined => self.declined,
            Outcome::Reported => self.reported,
            Outcome::Expired => self.expired,
            Outcome::Withdrawn => self.withdrawn,
        }
    }

    fn of_mut(&mut self, outcome: Outcome) -> &mut u32 {
        match outcome {
            Outcome::Accepted => &mut self.accepted,
            Outcome::Declined => &mut self.declined,
            Outcome::Reported => &mut self.reported,
            Outcome::Expired => &mut self.expired,
            Outcome::Withdrawn => &mut self.withdrawn,
        }
    }

    /// How many had an outcome.
    pub fn outcomes(&self) -> u32 {
        self.accepted.saturating_add(self.others())
    }

    /// How many had another outcome than being accepted.
    pub fn others(&self) -> u32 {
        [self.declined, self.reported, self.expired, self.withdrawn]
            .into_iter()
            .fold(0, u32::saturating_add)
    }

    /// The rate of acceptance; `None` while there are too few outcomes to conclude anything.
    pub fn rate(&self, policy: &StandingPolicy) -> Option<Rate> {
        let weighed = |count: u32, percent: u32| u64::from(count) * u64::from(percent);
        let won = weighed(self.accepted, 100);
        let of = [
            won,
            weighed(self.declined, 100),
            weighed(self.reported, policy.reported_percent),
            weighed(self.expired, policy.expired_percent),
            weighed(self.withdrawn, policy.withdrawn_percent),
        ]
        .into_iter()
        .fold(0, u64::saturating_add);
        (self.outcomes() >= policy.outcomes_min && of > 0).then_some(Rate { won, of })
    }

    fn plus(self, other: &Self) -> Self {
        Self {
            sent: self.sent.saturating_add(other.sent),
            accepted: self.accepted.saturating_add(other.accepted),
            declined: self.declined.saturating_add(other.declined),
            reported: self.reported.saturating_add(other.reported),
            expired: self.expired.saturating_add(other.expired),
            withdrawn: self.withdrawn.saturating_add(other.withdrawn),
        }
    }
}

/// A rate of acceptance, as a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    won: u64,
    /// Not 0.
    of: u64,
}

impl Rate {
    /// Whether it is under so many percent.
    pub fn is_below(self, percent: u32) -> bool {
        self.won.saturating_mul(100) < self.of.saturating_mul(u64::from(percent))
    }

    /// Whether it is above so many percent.
    pub fn is_above(self, percent: u32) -> bool {
        self.won.saturating_mul(100) > self.of.saturating_mul(u64::from(percent))
    }

    /// The whole percent in it, 0 to 100.
    pub fn percent(self) -> u8 {
        let percent = self.won.saturating_mul(100) / self.of.max(1);
        u8::try_from(percent).unwrap_or(100)
    }
}

/// Counts by the week; weeks without any are not among them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Weeks(BTreeMap<Week, Counts>);

impl Weeks {
    /// One more was sent in a week.
    pub(super) fn count_sent(&mut self, week: Week) {
        let counts = self.0.entry(week).or_default();
        counts.sent = counts.sent.saturating_add(1);
    }

    /// So many more had this outcome in a week.
    pub(super) fn count(&mut self, week: Week, outcome: Outcome, more: u32) {
        let count = self.0.entry(week).or_default().of_mut(outcome);
        *count = count.saturating_add(more);
    }

    /// One less had this outcome in a week; nothing where the week is forgotten.
    pub(super) fn uncount(&mut self, week: Week, outcome: Outcome) {
        if let Some(counts) = self.0.get_mut(&week) {
            let count = counts.of_mut(outcome);
            *count = count.saturating_sub(1);
        }
    }

    /// Forgets what is too old to be looked at in a week.
    pub(super) fn forget(&mut self, now: Week, policy: &StandingPolicy) {
        let border = now.minus(policy.weeks);
        self.0
            .retain(|week, counts| *week > border && *counts != Counts::default());
    }

    /// All weeks together.
    pub(super) fn total(&self) -> Counts {
        self.0.values().fold(Counts::default(), Counts::plus)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there are no more than can be looked at.
    pub(super) fn is_valid(&self) -> bool {
        self.0.len() <= usize::from(WEEKS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use service_kit::time::{Span, Time};

    use super::*;

    fn counts(accepted: u32, declined: u32, reported: u32, expired: u32, withdrawn: u32) -> Counts {
        Counts {
            sent: 0,
            accepted,
            declined,
            reported,
            expired,
            withdrawn,
        }
    }

    #[test]
    fn the_rate_weighs_reports_three_times_and_silence_half() {
        let policy = StandingPolicy::default();
        for (counts, expected) in [
            (counts(0, 0, 0, 0, 0), None),
            (counts(19, 0, 0, 0, 0), None),
            (counts(20, 0, 0, 0, 0), Some(100)),
            (counts(0, 20, 0, 0, 0), Some(0)),
            (counts(10, 10, 0, 0, 0), Some(50)),
            (counts(10, 7, 1, 2, 0), Some(47)), // 10 of 10 + 7 + 3 + 1
            (counts(10, 0, 10, 0, 0), Some(25)), // 10 of 40
            (counts(10, 0, 0, 10, 0), Some(66)), // 10 of 15
            (counts(10, 0, 0, 0, 10), Some(66)), // 10 of 15
            (counts(5, 0, 0, 20, 20), Some(20)), // 5 of 25
        ] {
            let rate = counts.rate(&policy).map(Rate::percent);
            assert_eq!(rate, expected, "{counts:?}");
        }
    }

    #[test]
    fn a_rate_is_compared_exactly() {
        let policy = StandingPolicy::default();
        let at_20 = counts(5, 0, 0, 20, 20).rate(&policy).unwrap();
        assert!(!at_20.is_below(20) && !at_20.is_above(20));
        assert!(at_20.is_below(21) && at_20.is_above(19));
        // One more that nobody answered, which weighs half of one in 25.5, and the rate is under it.
        let under = counts(5, 0, 0, 21, 20).rate(&policy).unwrap();
        assert!(under.is_below(20));
        assert_eq!(under.percent(), 19);
        let most = Counts {
            sent: u32::MAX,
            accepted: u32::MAX,
            declined: u32::MAX,
            reported: u32::MAX,
            expired: u32::MAX,
            withdrawn: u32::MAX,
        };
        // 1 of 1 + 1 + 3 + ½ + ½.
        assert_eq!(most.rate(&policy).map(Rate::percent), Some(16));
    }

    #[test]
    fn where_nothing_weighs_nothing_is_concluded() {
        let policy = StandingPolicy {
            expired_percent: 0,
            ..StandingPolicy::default()
        };
        assert_eq!(counts(0, 0, 0, 30, 0).rate(&policy), None);
    }

    #[test]
    fn the_current_week_and_the_twelve_before_are_looked_at() {
        let policy = StandingPolicy::default();
        let week = |n: i64| Week::of(Time::ZERO.plus(Span::days(20_409 + 7 * n)));
        let mut weeks = Weeks::default();
        for n in 0..30 {
            weeks.count_sent(week(n));
            weeks.count(week(n), Outcome::Declined, 2);
            weeks.forget(week(n), &policy);
        }
        assert_eq!((weeks.total().sent, weeks.total().declined), (13, 26));
        weeks.uncount(week(29), Outcome::Declined);
        weeks.uncount(week(16), Outcome::Declined);
        assert_eq!(weeks.total().declined, 25, "week 16 is forgotten");
        weeks.forget(week(29 + 12), &policy);
        assert_eq!((weeks.total().sent, weeks.total().declined), (1, 1));
        weeks.forget(week(29 + 13), &policy);
        assert!(weeks.is_empty());
    }

    #[test]
    fn every_outcome_is_counted_apart() {
        for outcome in Outcome::ALL {
            let mut weeks = Weeks::default();
            weeks.count(Week::default(), outcome, 3);
            weeks.uncount(Week::default(), outcome);
            let total = weeks.total();
            assert_eq!((total.of(outcome), total.outcomes()), (2, 2));
            let others = if outcome == Outcome::Accepted { 0 } else { 2 };
            assert_eq!(total.others(), others);
        }
    }
}

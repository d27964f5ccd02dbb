//! Points in time and lengths of time, in whole milliseconds.
//!
//! Deliberately absent: asking what time it is (see [`crate::clock`]), calendars, time zones and text forms. All arithmetic
//! saturates, so no value that arrives from outside can make it fail.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since the Unix epoch, UTC. Negative before 1970.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// The Unix epoch.
    pub const ZERO: Self = Self(0);

    /// The time `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The time `span` later; saturating.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The time `span` earlier; saturating.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is: negative when `earlier` is in fact later; saturating.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }

    /// This time rounded up to the whole second (a whole second stays as it is); saturating.
    #[must_use]
    pub const fn ceil_to_second(self) -> Self {
        match self.0.rem_euclid(1_000) {
            0 => self,
            past => Self(self.0.saturating_add(1_000 - past)),
        }
    }
}

/// A length of time in milliseconds. May be negative, as a difference.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `n` milliseconds.
    pub const fn millis(n: i64) -> Self {
        Self(n)
    }

    /// `n` seconds; saturating.
    pub const fn seconds(n: i64) -> Self {
        Self(n.saturating_mul(1_000))
    }

    /// `n` minutes; saturating.
    pub const fn minutes(n: i64) -> Self {
        Self(n.saturating_mul(60_000))
    }

    /// `n` hours; saturating.
    pub const fn hours(n: i64) -> Self {
        Self(n.saturating_mul(3_600_000))
    }

    /// `n` days of 24 hours; saturating.
    pub const fn days(n: i64) -> Self {
        Self(n.saturating_mul(86_400_000))
    }

    /// The whole days of 24 hours in it.
    pub const fn as_days(self) -> i64 {
        self.0 / 86_400_000
    }

    /// The length in milliseconds.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The same length for the standard library; a negative one becomes zero.
    pub fn to_std(self) -> Duration {
        Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        let end = Time::from_millis(i64::MAX);
        assert_eq!(end.plus(Span::millis(1)), end);
        assert_eq!(
            Time::from_millis(i64::MIN).minus(Span::millis(1)).millis(),
            i64::MIN
        );
        assert_eq!(end.since(Time::from_millis(-1)).as_millis(), i64::MAX);
        assert_eq!(Span::days(i64::MAX).as_millis(), i64::MAX);
        assert_eq!(end.ceil_to_second(), end);
    }

    #[test]
    fn rounds_up_to_whole_seconds_on_both_sides_of_the_epoch() {
        for (from, to) in [
            (0, 0),
            (1, 1_000),
            (999, 1_000),
            (1_000, 1_000),
            (1_001, 2_000),
            (-1, 0),
            (-1_000, -1_000),
        ] {
            assert_eq!(
                Time::from_millis(from).ceil_to_second().millis(),
                to,
                "{from}"
            );
        }
    }

    #[test]
    fn units_agree() {
        assert_eq!(Span::days(1), Span::hours(24));
        assert_eq!(Span::hours(1), Span::minutes(60));
        assert_eq!(Span::minutes(1), Span::seconds(60));
        assert_eq!(Span::seconds(1), Span::millis(1_000));
        assert_eq!(Span::seconds(2).to_std(), Duration::from_secs(2));
        assert_eq!(Span::millis(-5).to_std(), Duration::ZERO);
    }

    #[test]
    fn a_difference_leads_back() {
        let (a, b) = (Time::from_millis(5_000), Time::from_millis(1_234));
        assert_eq!(b.plus(a.since(b)), a);
        assert_eq!(a.minus(a.since(b)), b);
        assert!(b.since(a) < Span::ZERO);
    }
}

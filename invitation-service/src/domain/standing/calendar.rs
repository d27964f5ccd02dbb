//! UTC days and weeks, by which outcomes and sends are counted.
//!
//! Deliberately absent: time zones, and months. A week begins on Monday.

use serde::{Deserialize, Serialize};
use service_kit::time::{Span, Time};

const DAY: Span = Span::days(1);

/// A UTC day, by its number since the Unix epoch.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Day(i32);

impl Day {
    /// The day that a time lies in. Times millions of years away are as the furthest day.
    pub fn of(time: Time) -> Self {
        let day = time.millis().div_euclid(DAY.as_millis());
        Self(i32::try_from(day).unwrap_or(if day < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Its first moment.
    pub fn start(self) -> Time {
        Time::ZERO.plus(Span::days(i64::from(self.0)))
    }

    /// The first moment after it.
    pub fn end(self) -> Time {
        self.start().plus(DAY)
    }

    /// The day that lies `days` before this one; saturating.
    #[must_use]
    pub fn minus(self, days: u16) -> Self {
        Self(self.0.saturating_sub(i32::from(days)))
    }

    /// The week that it lies in.
    pub fn week(self) -> Week {
        // The epoch's first day was a Thursday.
        Week(self.0.saturating_add(3).div_euclid(7))
    }
}

/// A week of seven UTC days, Monday to Sunday, by its number.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Week(i32);

impl Week {
    /// The week that a time lies in.
    pub fn of(time: Time) -> Self {
        Day::of(time).week()
    }

    /// The first moment after it.
    pub fn end(self) -> Time {
        Time::ZERO.plus(Span::days(i64::from(self.0) * 7 + 4))
    }

    /// The week that lies `weeks` before this one; saturating.
    #[must_use]
    pub fn minus(self, weeks: u16) -> Self {
        Self(self.0.saturating_sub(i32::from(weeks)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: i64) -> Time {
        Time::ZERO.plus(Span::days(days))
    }

    #[test]
    fn a_day_goes_from_midnight_to_midnight_also_before_the_epoch() {
        let just_before = |time: Time| time.minus(Span::millis(1));
        for day in [-8, -1, 0, 1, 20_000] {
            let start = days(day);
            assert_eq!(Day::of(start).start(), start, "{day}");
            assert_eq!(Day::of(just_before(days(day + 1))), Day::of(start), "{day}");
            assert_eq!(Day::of(start).end(), days(day + 1), "{day}");
            assert!(Day::of(just_before(start)) < Day::of(start), "{day}");
        }
        assert_eq!(Day::of(days(21)).minus(21), Day::of(Time::ZERO));
    }

    #[test]
    fn a_week_goes_from_monday_to_monday() {
        // 5 January 1970 was a Monday, 17 November 2025 too.
        for monday in [4, -3, 20_409] {
            let week = Week::of(days(monday));
            assert_eq!(Week::of(days(monday + 7).minus(Span::millis(1))), week);
            assert_eq!(Week::of(days(monday + 7)).minus(1), week);
            assert_eq!(week.end(), days(monday + 7));
        }
    }

    #[test]
    fn the_furthest_times_have_days_too() {
        let end = Time::from_millis(i64::MAX);
        assert!(Day::of(Time::from_millis(i64::MIN)) < Day::of(end));
        assert!(Week::of(Time::from_millis(i64::MIN)) < Week::of(end));
    }
}

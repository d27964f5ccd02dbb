//! The rolling window: how many things happened in the last so-and-so long, exactly, and when there will be room again.
//!
//! Deliberately absent: buckets and approximations, which let through more than the cap at their borders; and the clock.

use service_kit::time::{Span, Time};

/// The times at which something happened, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RollingLog(Vec<Time>);

impl RollingLog {
    /// A log of these times, in any order.
    pub fn new(mut times: Vec<Time>) -> Self {
        times.sort_unstable();
        Self(times)
    }

    /// The times, oldest first; those outside the window may still be among them.
    pub fn times(&self) -> &[Time] {
        &self.0
    }

    /// How many lie in `(now − window, now]`.
    pub fn count(&self, now: Time, window: Span) -> u32 {
        u32::try_from(self.inside(now, window).len()).unwrap_or(u32::MAX)
    }

    /// The first moment, rounded up to the second, at which fewer than `cap` lie in the window if nothing is added; `None` for a cap of 0.
    /// `now` when that is already so.
    pub fn next_place(&self, now: Time, window: Span, cap: u32) -> Option<Time> {
        let cap = usize::try_from(cap).ok().filter(|cap| *cap > 0)?;
        let inside = self.inside(now, window);
        let Some(surplus) = inside.len().checked_sub(cap) else {
            return Some(now);
        };
        // All up to and including this one must have left the window.
        inside
            .get(surplus)
            .map(|leaves| leaves.plus(window).ceil_to_second())
    }

    /// Adds `now`, which is not before any time recorded so far, and forgets what has left the window.
    pub fn record(&mut self, now: Time, window: Span) {
        let gone = self.0.len() - self.inside(now, window).len();
        self.0.drain(..gone);
        self.0.push(now);
    }

    fn inside(&self, now: Time, window: Span) -> &[Time] {
        let border = now.minus(window);
        let first = self.0.partition_point(|time| *time <= border);
        self.0.get(first..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WEEK: Span = Span::days(7);

    fn at(seconds: i64) -> Time {
        Time::from_millis(1_700_000_000_000 + seconds * 1000)
    }

    #[test]
    fn a_time_leaves_the_window_exactly_when_it_is_that_old() {
        let mut log = RollingLog::default();
        log.record(at(0), WEEK);
        let border = at(0).plus(WEEK);
        assert_eq!(log.count(border.minus(Span::millis(1)), WEEK), 1);
        assert_eq!(log.count(border, WEEK), 0);
    }

    #[test]
    fn the_next_place_is_when_the_oldest_that_counts_leaves() {
        let log = RollingLog::new(vec![at(0), at(10), at(20)]);
        let now = at(30);
        assert_eq!(log.next_place(now, WEEK, 4), Some(now));
        assert_eq!(log.next_place(now, WEEK, 3), Some(at(0).plus(WEEK)));
        assert_eq!(log.next_place(now, WEEK, 2), Some(at(10).plus(WEEK)));
        assert_eq!(log.next_place(now, WEEK, 1), Some(at(20).plus(WEEK)));
        assert_eq!(log.next_place(now, WEEK, 0), None);
    }

    #[test]
    fn the_next_place_is_rounded_up_to_the_second_and_is_free_then() {
        let charged = at(0).plus(Span::millis(1));
        let log = RollingLog::new(vec![charged]);
        let next = log.next_place(at(1), WEEK, 1).unwrap();
        assert_eq!(next, at(1).plus(WEEK));
        assert_eq!(log.count(next, WEEK), 0);
    }

    #[test]
    fn recording_forgets_what_has_left_the_window() {
        let mut log = RollingLog::new(vec![at(0), at(5)]);
        log.record(at(0).plus(WEEK), WEEK);
        assert_eq!(log.times(), [at(5), at(0).plus(WEEK)]);
    }
}

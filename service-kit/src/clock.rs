//! What time it is, as something that is asked.
//!
//! This is the only place that reads the system's clock. Deliberately absent: waiting (that is `tokio::time`), and any
//! correction of a clock that goes back: whoever keeps order keeps the highest time it has seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::time::{Span, Time};

/// Something that knows the time.
pub trait Clock: Send + Sync + 'static {
    /// The time now. May be earlier than an answer given before, as a system's clock may be set back.
    fn now(&self) -> Time;
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Time {
        (**self).now()
    }
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    fn now(&self) -> Time {
        let millis =
            |since: std::time::Duration| i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => Time::from_millis(millis(since)),
            Err(before) => Time::from_millis(-millis(before.duration())),
        }
    }
}

/// A clock that moves only when told to: for tests and simulation. Clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `at`.
    pub fn new(at: Time) -> Self {
        Self(Arc::new(AtomicI64::new(at.millis())))
    }

    /// Moves the clock to `at`, forward or back.
    pub fn set(&self, at: Time) {
        self.0.store(at.millis(), Ordering::SeqCst);
    }

    /// Moves the clock by `span`, back if it is negative.
    pub fn advance(&self, span: Span) {
        self.0.fetch_add(span.as_millis(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_clock_is_shared_by_its_clones() {
        let clock = ManualClock::new(Time::from_millis(10));
        let seen: Arc<dyn Clock> = Arc::new(clock.clone());
        clock.advance(Span::seconds(1));
        assert_eq!(seen.now(), Time::from_millis(1_010));
        clock.set(Time::ZERO);
        assert_eq!(seen.now(), Time::ZERO);
    }

    #[test]
    fn the_system_clock_shows_milliseconds() {
        let year_2020 = Time::from_millis(1_577_836_800_000);
        let year_2200 = Time::from_millis(7_258_118_400_000);
        let now = SystemClock.now();
        assert!(year_2020 < now && now < year_2200, "{now:?}");
    }
}

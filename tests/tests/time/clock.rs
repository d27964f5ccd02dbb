//! What the tests of time share: the clock, moved to a moment, and the wire's times.

use std::time::Duration;

use acquaint_tests::pair::{Pair, Setup};
use prost_types::Timestamp;
use service_kit::time::{Span, Time};

/// The smallest step of the clock.
pub(crate) const TICK: Span = Span::millis(1);

/// Defaults, with workers that look once, at the start, and then not again as long as any test runs.
pub(crate) fn without_sweeper() -> Setup {
    Setup {
        worker_poll: Duration::from_hours(1),
        ..Setup::default()
    }
}

/// The time now.
pub(crate) fn now(pair: &Pair) -> Time {
    service_kit::clock::Clock::now(&pair.clock)
}

/// A time of the wire.
pub(crate) fn time(at: Option<Timestamp>) -> Time {
    let at = at.expect("a time");
    Time::from_millis(at.seconds * 1_000 + i64::from(at.nanos / 1_000_000))
}

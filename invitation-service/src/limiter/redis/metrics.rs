//! The figures of Redis: whether it is away, what became of each call, and how long it took.
//!
//! Deliberately absent: what the limiter said, which is counted for every engine (`usecase/metrics.rs`), and anything about one member.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

/// Bounds of the buckets of calls, in seconds.
const CALL_BUCKETS: [f64; 10] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.25,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    operation: &'static str,
    outcome: &'static str,
}

/// What Redis is asked to do.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Reserve,
    Release,
    Seed,
    Forget,
}

impl Operation {
    const ALL: [Self; 4] = [Self::Reserve, Self::Release, Self::Seed, Self::Forget];

    const fn word(self) -> &'static str {
        match self {
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Seed => "seed",
            Self::Forget => "forget",
        }
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// Redis answered.
    Answered,
    /// Redis refused, or the connection broke.
    Failed,
    /// No answer came in time.
    TimedOut,
    /// Redis was away and was not asked.
    Skipped,
}

impl Outcome {
    const ALL: [Self; 4] = [Self::Answered, Self::Failed, Self::TimedOut, Self::Skipped];

    const fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
        }
    }
}

/// The figures of Redis. Clones are the same. All are 0 where no Redis is used.
#[derive(Clone, Debug)]
pub struct RedisMetrics {
    degraded: Gauge,
    calls: Family<CallLabels, Counter>,
    times: Histogram,
}

impl Default for RedisMetrics {
    fn default() -> Self {
        let new = Self {
            degraded: Gauge::default(),
            calls: Family::default(),
            times: Histogram::new(CALL_BUCKETS),
        };
        // There from the beginning, so that the first failure is seen to be one more than none.
        for operation in Operation::ALL {
            for outcome in Outcome::ALL {
                new.calls.get_or_create_owned(&labels(operation, outcome));
            }
        }
        new
    }
}

fn labels(operation: Operation, outcome: Outcome) -> CallLabels {
    CallLabels {
        operation: operation.word(),
        outcome: outcome.word(),
    }
}

impl RedisMetrics {
    /// Adds the figures to what is scraped.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "limiter_redis_degraded",
            "1 while Redis is configured and away, so that the store alone holds the weekly cap",
            self.degraded.clone(),
        );
        registry.register(
            "limiter_redis_calls",
            "Calls of Redis by what became of them",
            self.calls.clone(),
        );
        registry.register(
            "limiter_redis_call_seconds",
            "How long calls took that Redis answered",
            self.times.clone(),
        );
    }

    pub(super) fn degraded(&self, away: bool) {
        self.degraded.set(i64::from(away));
    }

    pub(super) fn answered_in(&self, time: Duration) {
        self.times.observe(time.as_secs_f64());
    }

    pub(super) fn called(&self, operation: Operation, outcome: Outcome) {
        self.calls.get_or_create(&labels(operation, outcome)).inc();
    }
}

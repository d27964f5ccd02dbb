//! The figures of workers: what waits for them, for how long it has been due, and what became of it.
//!
//! Deliberately absent: how long a piece of work takes. What matters of work that nobody waits for is whether it keeps up.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::time::Span;

/// Up to how many pieces of waiting work are counted.
pub const COUNTED_MAX: u32 = 10_000;

/// What waits for a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many pieces are due, counted up to [`COUNTED_MAX`].
    pub waiting: u32,
    /// For how long the first of them has been due.
    pub lag: Span,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WorkLabels {
    work: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    work: &'static str,
    outcome: &'static str,
}

/// The figures of a process's workers. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct WorkMetrics {
    waiting: Family<WorkLabels, Gauge>,
    lag: Family<WorkLabels, Gauge<f64, std::sync::atomic::AtomicU64>>,
    done: Family<OutcomeLabels, Counter>,
}

impl WorkMetrics {
    /// Adds the figures to what is scraped.
    pub fn register(&self, registry: &mut Registry) {
        let waiting = "Work that is due and has not been done; counted up to 10,000";
        registry.register("worker_backlog", waiting, self.waiting.clone());
        let lag = "For how long the first of the work that is due has been due";
        registry.register("worker_lag_seconds", lag, self.lag.clone());
        let done = "Pieces of work that a worker took up, by what became of them";
        registry.register("worker_done", done, self.done.clone());
    }

    /// Notes what waits of one kind of `work`.
    pub fn waits(&self, work: &'static str, backlog: Backlog) {
        let labels = WorkLabels { work };
        self.waiting
            .get_or_create(&labels)
            .set(i64::from(backlog.waiting));
        let lag = backlog.lag.to_std().as_secs_f64();
        self.lag.get_or_create(&labels).set(lag);
    }

    /// Counts a piece of `work` that came to `outcome`; both from closed lists.
    pub fn done(&self, work: &'static str, outcome: &'static str) {
        let labels = OutcomeLabels { work, outcome };
        self.done.get_or_create(&labels).inc();
    }

    /// Counts a piece of `work` that succeeded or failed.
    pub fn ended<T, E>(&self, work: &'static str, result: &Result<T, E>) {
        self.done(work, if result.is_ok() { "done" } else { "failed" });
    }
}

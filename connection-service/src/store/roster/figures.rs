//! What is counted of rosters.
//!
//! Deliberately absent: whose they are.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// Bounds of the buckets of building times, in seconds.
const BUILD_BUCKETS: [f64; 9] = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// What came of an answer that needed a roster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Came {
    /// There was one.
    Found,
    /// One was built.
    Built,
    /// Too much had changed when one was built: the store was read instead.
    Outrun,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadLabels {
    outcome: &'static str,
}

impl From<Came> for ReadLabels {
    fn from(came: Came) -> Self {
        let outcome = match came {
            Came::Found => "found",
            Came::Built => "built",
            Came::Outrun => "outrun",
        };
        Self { outcome }
    }
}

/// The figures of rosters.
pub(in crate::store) struct RosterFigures {
    reads: Family<ReadLabels, Counter>,
    build: Histogram,
}

impl RosterFigures {
    /// Nothing is counted yet.
    pub(super) fn new() -> Self {
        let reads = Family::<ReadLabels, Counter>::default();
        // There from the beginning, so that the first is seen to be one more than none.
        for outcome in [Came::Found, Came::Built, Came::Outrun] {
            reads.get_or_create_owned(&outcome.into());
        }
        Self {
            reads,
            build: Histogram::new(BUILD_BUCKETS),
        }
    }

    /// Counts an answer.
    pub(in crate::store) fn count(&self, outcome: Came) {
        self.reads.get_or_create(&outcome.into()).inc();
    }

    /// Counts a roster that took so long, the reads of others between its own included.
    pub(in crate::store) fn built(&self, took: Duration) {
        self.count(Came::Built);
        self.build.observe(took.as_secs_f64());
    }

    /// Hands them in.
    pub(super) fn register(&self, registry: &mut Registry) {
        let reads = "Lists by name, searches and removals by search of members with many connections, by what came of their rosters";
        registry.register("roster_reads", reads, self.reads.clone());
        let build = "How long building a roster took";
        registry.register("roster_build_seconds", build, self.build.clone());
    }
}

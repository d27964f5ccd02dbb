//! The bounds of the network in memory, and the keys that set them.
//!
//! Deliberately absent: what is done with them (see `memory`, `follower`, and `usecase` for searches of the store).

use std::time::Duration;

use service_kit::config::{Findings, Key, Unit};

/// The bounds of the network in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GraphOptions {
    /// How much the index may take, in MiB; beyond, it is given up. 0: there is none. Default 1,024.
    pub memory_mebibytes_max: usize,
    /// How much the second degrees that are kept may take beside it, in MiB. Default 128.
    pub views_mebibytes_max: usize,
    /// How long an answer waits for what the store has just committed, before the store is asked. Default 50 ms.
    pub wait: Duration,
    /// How many long answers are worked out at a time, from memory and from the store each. Default 2.
    pub searches_max: usize,
    /// How many rows the store reads for an answer that memory cannot give. Default 50,000.
    pub store_rows_max: u32,
}

impl Default for GraphOptions {
    fn default() -> Self {
        Self {
            memory_mebibytes_max: 1_024,
            views_mebibytes_max: 128,
            wait: Duration::from_millis(50),
            searches_max: 2,
            store_rows_max: 50_000,
        }
    }
}

impl GraphOptions {
    /// The keys.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "graph.memory_mebibytes_max",
                "MiB",
                0..=1_048_576,
                |o: &mut Self| &mut o.memory_mebibytes_max,
                "memory for the index of who is connected to whom: some 5 bytes for each side of a connection and 60 a member; beyond, the index is \
                 given up until the next start and the store answers, slower and not at all where it would have to read too much; 0: no index",
            ),
            Key::count(
                "graph.views_mebibytes_max",
                "MiB",
                0..=1_048_576,
                |o: &mut Self| &mut o.views_mebibytes_max,
                "memory for the second degrees of members who were asked about lately, up to 4 bytes for every member each; beyond, those used \
                 longest ago go",
            ),
            Key::span(
                "graph.wait_millis",
                Unit::Millis,
                1..=10_000,
                |o: &mut Self| &mut o.wait,
                "time for which a question waits until the index knows what was committed before it; beyond, the store answers",
            ),
            Key::count(
                "graph.searches_max",
                "searches",
                1..=64,
                |o: &mut Self| &mut o.searches_max,
                "long questions worked out at a time, by the index on threads of their own and by the store on its readers; more wait",
            ),
            Key::count(
                "graph.store_rows_max",
                "rows",
                0..=10_000_000,
                |o: &mut Self| &mut o.store_rows_max,
                "rows that the store reads for a question that the index cannot answer; beyond, there is no answer",
            ),
        ]
    }

    /// What does not fit together, or should be known.
    pub fn check(&self, findings: &mut Findings) {
        if self.memory_mebibytes_max == 0 {
            findings.risky(
                &["graph.memory_mebibytes_max"],
                "there is no index of connections: questions about the network around a member are slow, and have no answer where they read more \
                 rows than graph.store_rows_max",
            );
        }
    }

    /// How much the index may take, in bytes.
    pub(super) fn memory_bytes_max(&self) -> usize {
        self.memory_mebibytes_max.saturating_mul(1 << 20)
    }

    /// How much second degrees may take, in bytes.
    pub(super) fn views_bytes_max(&self) -> usize {
        self.views_mebibytes_max.saturating_mul(1 << 20)
    }
}

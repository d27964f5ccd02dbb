//! The figures of a store: what its writer, its readers and its checkpoints do, and what they could not do.
//!
//! Deliberately absent: counting rows, which costs as much as there are.

use std::path::{Path, PathBuf};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tokio::sync::mpsc;

use super::register_read;
use crate::error::StoreError;

/// Bounds of the buckets of times within the store, in seconds.
const TIME_BUCKETS: [f64; 13] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 1.0,
];
/// Bounds of the buckets of batches, in commands.
const BATCH_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

fn times() -> Histogram {
    Histogram::new(TIME_BUCKETS)
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FailureLabels {
    operation: &'static str,
    kind: &'static str,
}

/// What a store could not do, by kind.
#[derive(Clone, Debug)]
struct Failures {
    operation: &'static str,
    counts: Family<FailureLabels, Counter>,
}

impl Failures {
    fn count(&self, error: &StoreError) {
        let kind = match error {
            StoreError::Overloaded => "overloaded",
            StoreError::Unavailable(_) => "unavailable",
            StoreError::Corrupt(_) => "corrupt",
            StoreError::Internal(_) => "internal",
        };
        let labels = FailureLabels {
            operation: self.operation,
            kind,
        };
        self.counts.get_or_create(&labels).inc();
    }
}

/// The figures of a store. Clones are the same.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    /// The writer's.
    pub writer: WriterMetrics,
    /// The readers'.
    pub readers: ReaderMetrics,
    /// The checkpoints'.
    pub checkpoints: CheckpointMetrics,
    failures: Family<FailureLabels, Counter>,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        let failures = Family::<FailureLabels, Counter>::default();
        let of = |operation| {
            // There from the beginning, so that the first failure is seen to be one more than none.
            for kind in ["overloaded", "unavailable", "corrupt", "internal"] {
                failures.get_or_create_owned(&FailureLabels { operation, kind });
            }
            Failures {
                operation,
                counts: failures.clone(),
            }
        };
        Self {
            writer: WriterMetrics {
                batch_commands: Histogram::new(BATCH_BUCKETS),
                wait: times(),
                commands: times(),
                commit: times(),
                failures: of("write"),
            },
            readers: ReaderMetrics {
                wait: times(),
                read: times(),
                failures: of("read"),
            },
            checkpoints: CheckpointMetrics {
                time: times(),
                log_frames: Gauge::default(),
                failures: Counter::default(),
            },
            failures,
        }
    }
}

impl StoreMetrics {
    /// Adds the figures of an embedded store to what is scraped, with the sizes of its files.
    pub fn register(&self, registry: &mut Registry, file: &Path) {
        self.register_remote(registry);
        let checkpoints = self.checkpoints.clone();
        registry.register(
            "store_checkpoint_seconds",
            "How long carrying the log over into the file took",
            checkpoints.time,
        );
        registry.register(
            "store_checkpoint_failures",
            "Checkpoints that failed, apart from those put off",
            checkpoints.failures,
        );
        registry.register(
            "store_log_frames",
            "Pages in the write-ahead log since it last began anew",
            checkpoints.log_frames,
        );
        let log = with_suffix(file, "-wal");
        let sizes = [
            (
                "store_file_bytes",
                "The size of the store's file",
                file.to_owned(),
            ),
            (
                "store_log_bytes",
                "The size of the write-ahead log's file",
                log,
            ),
        ];
        for (name, help, path) in sizes {
            register_read(registry, name, help, move || {
                // A byte more or less in 2⁵³ is nothing to be shown.
                #[allow(clippy::cast_precision_loss, reason = "as said")]
                let size = |found: std::fs::Metadata| found.len() as f64;
                path.metadata().ok().map(size)
            });
        }
    }

    /// Adds the figures of a store that lies elsewhere: what is written, read, and could not be.
    pub fn register_remote(&self, registry: &mut Registry) {
        let Self {
            writer,
            readers,
            checkpoints: _,
            failures,
        } = self.clone();
        for (name, help, times) in [
            (
                "store_batch_commands",
                "How many commands shared a commit",
                writer.batch_commands,
            ),
            (
                "store_write_wait_seconds",
                "How long commands waited for the writer",
                writer.wait,
            ),
            (
                "store_batch_seconds",
                "How long the commands of a batch took, without the commit",
                writer.commands,
            ),
            (
                "store_commit_seconds",
                "How long writing the rows of a batch and committing them took",
                writer.commit,
            ),
            (
                "store_read_wait_seconds",
                "How long reads waited for a reader",
                readers.wait,
            ),
            ("store_read_seconds", "How long reads took", readers.read),
        ] {
            registry.register(name, help, times);
        }
        registry.register(
            "store_failures",
            "Commands and reads that the store could not do",
            failures,
        );
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Registers how many messages wait in a queue, for as long as somebody holds it.
pub(crate) fn register_queue<T: Send + 'static>(
    registry: &mut Registry,
    name: &'static str,
    help: &'static str,
    queue: &mpsc::Sender<T>,
) {
    // A strong handle would keep whoever serves the queue from ending.
    let queue = queue.downgrade();
    register_length(registry, name, help, move || {
        let queue = queue.upgrade()?;
        Some(queue.max_capacity().saturating_sub(queue.capacity()))
    });
}

/// Registers a length, for as long as there is one.
pub(crate) fn register_length(
    registry: &mut Registry,
    name: &'static str,
    help: &'static str,
    length: impl Fn() -> Option<usize> + Send + Sync + 'static,
) {
    register_read(registry, name, help, move || {
        u32::try_from(length()?).ok().map(f64::from)
    });
}

/// The figures of a writer that commits in groups.
#[derive(Clone, Debug)]
pub struct WriterMetrics {
    batch_commands: Histogram,
    wait: Histogram,
    commands: Histogram,
    commit: Histogram,
    failures: Failures,
}

impl WriterMetrics {
    /// Counts a batch of so many commands: how long they ran, and how long the commit took.
    pub(crate) fn batch(&self, commands: usize, ran: Duration, committed: Duration) {
        let commands = u32::try_from(commands).unwrap_or(u32::MAX);
        self.batch_commands.observe(f64::from(commands));
        self.commands.observe(ran.as_secs_f64());
        self.commit.observe(committed.as_secs_f64());
    }

    /// Counts how long a command waited.
    pub(crate) fn waited(&self, time: Duration) {
        self.wait.observe(time.as_secs_f64());
    }

    /// Counts a command that failed.
    pub(crate) fn ended<T>(&self, result: &Result<T, StoreError>) {
        if let Err(error) = result {
            self.failures.count(error);
        }
    }
}

/// The figures of readers.
#[derive(Clone, Debug)]
pub struct ReaderMetrics {
    wait: Histogram,
    read: Histogram,
    failures: Failures,
}

impl ReaderMetrics {
    /// Counts a read: how long it waited, and how long it took.
    pub(crate) fn read(&self, waited: Duration, took: Duration) {
        self.wait.observe(waited.as_secs_f64());
        self.read.observe(took.as_secs_f64());
    }

    /// Counts a read that failed.
    pub(crate) fn ended<T>(&self, result: &Result<T, StoreError>) {
        if let Err(error) = result {
            self.failures.count(error);
        }
    }
}

/// The figures of checkpoints.
#[derive(Clone, Debug)]
pub struct CheckpointMetrics {
    time: Histogram,
    log_frames: Gauge,
    failures: Counter,
}

impl CheckpointMetrics {
    pub(crate) fn done(&self, took: Duration) {
        self.time.observe(took.as_secs_f64());
    }

    pub(crate) fn failed(&self) {
        self.failures.inc();
    }

    pub(crate) fn log_has(&self, frames: u32) {
        self.log_frames.set(i64::from(frames));
    }
}

//! What a run has found: as a table for people, as JSON for comparison.
//!
//! Deliberately absent: a verdict; `docs/performance.md` has the aims.

use std::{fs, path::Path, time::Duration};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::{kind::Kind, load::Measured, process::Memory};

/// A run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// Where it ran.
    pub(crate) machine: Machine,
    /// What was found for each number of stored invitations.
    pub(crate) sizes: Vec<Size>,
}

/// The machine.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    processor: String,
    cores: usize,
    kernel: String,
}

/// What was found at a number of stored invitations.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Size {
    /// How many invitations are stored.
    pub(crate) stored: u64,
    /// What the services use when nobody calls, in milliseconds of CPU a second, both together.
    pub(crate) idle_millis: f64,
    /// Each kind at each number in flight.
    pub(crate) rows: Vec<Row>,
    /// After everything.
    pub(crate) stores: Vec<Store>,
}

/// One service after everything.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Store {
    /// Which.
    pub(crate) service: String,
    /// The most resident memory at any time, in bytes.
    pub(crate) resident_peak: u64,
    /// Its resident memory at the end, in bytes.
    pub(crate) resident: u64,
    /// The size of its file or of its tables as filled, in bytes.
    pub(crate) file: u64,
}

impl Store {
    /// A service's memory, and the size of what it has stored.
    pub(crate) fn new(service: &str, memory: Memory, file: u64) -> Self {
        Self {
            service: service.to_owned(),
            resident_peak: memory.peak,
            resident: memory.resident,
            file,
        }
    }
}

/// A kind of call at a number in flight.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    /// What was called.
    pub(crate) kind: Kind,
    /// How many calls were under way.
    pub(crate) in_flight: usize,
    calls: u64,
    seconds: f64,
    per_second: f64,
    p50_millis: f64,
    p99_millis: f64,
    p999_millis: f64,
    /// Of invitation-service's commits; none where nothing was committed.
    commit_p99_millis: Option<f64>,
    /// How many commands shared one of them.
    commands_a_commit: Option<f64>,
    /// Microseconds of CPU for each call.
    invitation_micros: f64,
    connection_micros: f64,
    #[serde(default)]
    redis_micros: f64,
    #[serde(default)]
    postgres_micros: f64,
    empty_micros: f64,
    load_micros: f64,
    /// How much of a core was used by what had nothing to do with it.
    others_cores: f64,
}

impl Row {
    /// From what was measured.
    pub(crate) fn new(kind: Kind, in_flight: usize, measured: &Measured) -> Self {
        let calls = count(measured.calls);
        let seconds = measured.span.as_secs_f64();
        let each = |used: Duration| used.as_secs_f64() * 1e6 / calls;
        let quantile = |quantile| count(measured.latencies.value_at_quantile(quantile)) / 1e6;
        Self {
            kind,
            in_flight,
            calls: measured.calls,
            seconds,
            per_second: calls / seconds,
            p50_millis: quantile(0.5),
            p99_millis: quantile(0.99),
            p999_millis: quantile(0.999),
            commit_p99_millis: measured.commits.quantile(0.99).map(|seconds| seconds * 1e3),
            commands_a_commit: measured.commits.commands_each(),
            invitation_micros: each(measured.used.invitation),
            connection_micros: each(measured.used.connection),
            redis_micros: each(measured.used.redis),
            postgres_micros: each(measured.used.postgres),
            empty_micros: each(measured.used.empty),
            load_micros: each(measured.used.load),
            others_cores: measured.used.others().as_secs_f64() / seconds,
        }
    }

    /// One line for whoever waits for the run.
    pub(crate) fn line(&self) -> String {
        format!(
            "{:>12} {:>4} in flight: {:>6.0} calls/s, p99 {:>7.2} ms, {:>6.1} CPU µs",
            name(self.kind),
            self.in_flight,
            self.per_second,
            self.p99_millis,
            self.served_micros(),
        )
    }

    /// What serving a call costs: CPU of both services, Redis and PostgreSQL, or of the empty method, whatever served it.
    fn served_micros(&self) -> f64 {
        match self.kind {
            Kind::Empty | Kind::EmptyKit => self.empty_micros,
            _ => {
                self.invitation_micros
                    + self.connection_micros
                    + self.redis_micros
                    + self.postgres_micros
            }
        }
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn count(count: u64) -> f64 {
    count as f64
}

/// A figure, where there is one.
fn figure(figure: Option<f64>) -> String {
    figure.map_or_else(String::new, |figure| format!("{figure:.1}"))
}

fn mebibytes(bytes: u64) -> f64 {
    count(bytes) / 1_048_576.0
}

impl Machine {
    /// The one that this runs on.
    pub(crate) fn here() -> anyhow::Result<Self> {
        let processors = fs::read_to_string("/proc/cpuinfo")?;
        let name = processors
            .lines()
            .find_map(|line| line.strip_prefix("model name"));
        Ok(Self {
            processor: name
                .map_or("unknown", |name| name.trim_start_matches([' ', '\t', ':']))
                .to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease")?
                .trim()
                .to_owned(),
        })
    }
}

impl Report {
    /// A report kept before.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read(path).with_context(|| path.display().to_string())?;
        serde_json::from_slice(&text).with_context(|| path.display().to_string())
    }

    /// Keeps the report.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        fs::write(path, text).with_context(|| path.display().to_string())
    }

    /// The tables, as Markdown.
    pub(crate) fn print(&self) {
        let Machine {
            processor,
            cores,
            kernel,
        } = &self.machine;
        println!("{processor}, {cores} cores, Linux {kernel}");
        for size in &self.sizes {
            size.print();
        }
    }

    /// This report's figures beside an earlier one's, where both have them: `after / before`.
    pub(crate) fn print_against(&self, before: &Self) {
        println!(
            "| stored | call | in flight | calls/s | ratio | p99 ms | ratio | CPU µs | ratio |"
        );
        println!("|---:|---|---:|---:|---:|---:|---:|---:|---:|");
        for size in &self.sizes {
            let found = before
                .sizes
                .iter()
                .find(|other| other.stored == size.stored);
            for row in &size.rows {
                let same =
                    |other: &&Row| (other.kind, other.in_flight) == (row.kind, row.in_flight);
                let Some(was) = found.and_then(|found| found.rows.iter().find(same)) else {
                    continue;
                };
                println!(
                    "| {} | {} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.1} | {:.2} |",
                    size.stored,
                    name(row.kind),
                    row.in_flight,
                    row.per_second,
                    row.per_second / was.per_second,
                    row.p99_millis,
                    row.p99_millis / was.p99_millis,
                    row.served_micros(),
                    row.served_micros() / was.served_micros(),
                );
            }
        }
    }
}

impl Size {
    fn print(&self) {
        println!("\n### {} stored invitations\n", self.stored);
        println!(
            "| call | in flight | calls/s | p50 ms | p99 ms | p99.9 ms | CPU µs | × empty | invitation µs | connection µs | Redis µs | PostgreSQL µs | load µs | others, cores | commit p99 ms | commands a commit |"
        );
        println!(
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
        );
        for row in &self.rows {
            let yardstick = self
                .rows
                .iter()
                .find(|other| other.kind == Kind::Empty && other.in_flight == row.in_flight);
            let times = yardstick.map_or_else(String::new, |yardstick| {
                format!("{:.1}", row.served_micros() / yardstick.served_micros())
            });
            println!(
                "| {} | {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.1} | {times} | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.2} | {} | {} |",
                name(row.kind),
                row.in_flight,
                row.per_second,
                row.p50_millis,
                row.p99_millis,
                row.p999_millis,
                row.served_micros(),
                row.invitation_micros,
                row.connection_micros,
                row.redis_micros,
                row.postgres_micros,
                row.load_micros,
                row.others_cores,
                figure(row.commit_p99_millis),
                figure(row.commands_a_commit),
            );
        }
        println!(
            "\nBoth services at rest: {:.1} ms of CPU a second.",
            self.idle_millis
        );
        for store in &self.stores {
            println!(
                "{}: {:.0} MiB resident, {:.0} MiB at most; its file as filled {:.0} MiB.",
                store.service,
                mebibytes(store.resident),
                mebibytes(store.resident_peak),
                mebibytes(store.file),
            );
        }
    }
}

/// As on the command line.
pub(crate) fn name(kind: Kind) -> String {
    let value = clap::ValueEnum::to_possible_value(&kind);
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

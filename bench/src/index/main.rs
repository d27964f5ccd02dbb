//! Measures the memory that connection-service's index of connections takes: a made-up network, generated straight into the index, then changed.
//!
//! How many connections members have is skewed: a few have the most that are allowed, most have some tens. What is measured is the memory of this
//! process, allocator and all. Deliberately absent: a store, the wire, and aims, which `docs/performance.md` has.

use std::{fs, time::Duration};

use anyhow::{Context as _, ensure};
use clap::Parser;
use connection_service::{
    domain::network::Tie,
    graph::index::{Index, Size},
};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use service_kit::id::MemberId;
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As many as a member may have by default.
const CONNECTIONS_MAX: usize = 30_000;

/// Measures the memory that the index of connections takes.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// The same seed gives the same network.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many members there are.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(100..=100_000_000))]
    members: u32,
    /// How many directions of connections: two for each connection.
    #[arg(long, default_value_t = 100_000_000)]
    directions: usize,
    /// How many percent of the connections end and are made anew, after the first measurement.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u8).range(0..=100))]
    changed_percent: u8,
}

struct Made {
    index: Index,
    random: SmallRng,
    members: u32,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let before = resident()?;
    let mut made = Made {
        index: Index::default(),
        random: SmallRng::seed_from_u64(arguments.seed),
        members: arguments.members,
    };
    println!(
        "seed {}, at most {CONNECTIONS_MAX} connections a member\n\n| | members | directions | ids' text | index's own count | resident | bytes a direction beyond 64 a member and the text | took |\n|---|---:|---:|---:|---:|---:|---:|---:|",
        arguments.seed
    );
    let begun = Instant::now();
    for number in 0..arguments.members {
        made.member(number)?;
    }
    made.connect_until(arguments.directions);
    made.print("built", before, begun.elapsed())?;
    let changed = arguments.directions / 100 * usize::from(arguments.changed_percent);
    let begun = Instant::now();
    made.end_until(arguments.directions - changed)?;
    made.print("some ended", before, begun.elapsed())?;
    let begun = Instant::now();
    made.connect_until(arguments.directions);
    made.print("as many made", before, begun.elapsed())
}

impl Made {
    /// Everybody is connected to the member before them, so that everybody has a number.
    fn member(&mut self, number: u32) -> anyhow::Result<()> {
        let before = number.checked_sub(1).unwrap_or(self.members - 1);
        let (one, other) = self.index.numbers_or_new(&id(number)?, &id(before)?)?;
        self.index.set(one, other, Tie::Connected);
        Ok(())
    }

    /// Few are drawn often, most seldom.
    fn drawn(&mut self) -> u32 {
        let even = self.random.random::<f64>();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "below the number of members, which is a u32"
        )]
        let number = (even * even * even * f64::from(self.members)) as u32;
        number
    }

    fn connect_until(&mut self, directions: usize) {
        while self.index.size().directions < directions {
            let (one, other) = (self.drawn(), self.random.random_range(0..self.members));
            let full = [one, other].map(|one| self.index.connections(one).len() >= CONNECTIONS_MAX);
            if full == [false, false] && self.index.tie(one, other) == Tie::None {
                self.index.set(one, other, Tie::Connected);
            }
        }
    }

    /// Ends connections of members drawn as they were for making them, but leaves everybody one.
    fn end_until(&mut self, directions: usize) -> anyhow::Result<()> {
        while self.index.size().directions > directions {
            let one = self.drawn();
            let connections = self.index.connections(one);
            if connections.len() < 2 {
                continue;
            }
            let at = self.random.random_range(0..connections.len());
            let other = *connections.get(at).context("a connection")?;
            if self.index.connections(other).len() > 1 {
                self.index.set(one, other, Tie::None);
            }
        }
        Ok(())
    }

    fn print(&self, what: &str, before: u64, took: Duration) -> anyhow::Result<()> {
        let Size {
            members,
            directions,
            bytes,
            text_bytes,
        } = self.index.size();
        let resident = resident()?.saturating_sub(before);
        ensure!(directions > 0, "nobody is connected");
        let own = i64::try_from(resident)? - i64::try_from(text_bytes + 64 * members)?;
        #[expect(clippy::cast_precision_loss, reason = "figures for people")]
        let each = own as f64 / directions as f64;
        println!(
            "| {what} | {members} | {directions} | {} MiB | {} MiB | {} MiB | {each:.2} | {:.0} s |",
            text_bytes >> 20,
            bytes >> 20,
            resident >> 20,
            took.as_secs_f64()
        );
        Ok(())
    }
}

fn id(number: u32) -> anyhow::Result<MemberId> {
    Ok(MemberId::parse(&format!("member-{number:010}"))?)
}

/// The memory of this process, in bytes.
fn resident() -> anyhow::Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kibibytes.context("no VmRSS")?.parse::<u64>()? * 1_024)
}

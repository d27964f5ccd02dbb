//! Measures the pair: `make bench`.
//!
//! Starts both services as processes of their own on filled stores ([`data`], [`fill`], [`network`]), durable and with their defaults; makes
//! calls of each [`kind`] over the wire in a closed loop ([`load`]); and reports throughput, latency and CPU time beside a method that
//! does nothing ([`empty`]). Deliberately absent: aims, which `docs/performance.md` has.

mod call;
mod commits;
mod data;
mod empty;
mod fill;
mod import;
mod kind;
mod load;
mod measure;
mod network;
mod postgres;
mod process;
mod report;
mod world;

use std::{path::PathBuf, time::Duration};

use clap::{Parser, ValueEnum as _};

use data::Engine;
use kind::Kind;
use load::Spans;
use measure::Plan;
use report::Report;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the pair: calls a second, latencies and CPU time for each kind of call.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Only these kinds of call; all when none is named.
    #[arg(long, value_delimiter = ',', value_enum)]
    kinds: Vec<Kind>,
    /// How many calls are under way at a time.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    in_flight: Vec<usize>,
    /// At how many stored invitations.
    #[arg(long, value_delimiter = ',', default_values_t = [100_000, 5_000_000])]
    stored: Vec<u64>,
    /// How many seconds each is measured.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How many seconds calls are made before measuring.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// How many HTTP/2 connections there are to each process, at most.
    #[arg(long, default_value_t = 4)]
    connections: usize,
    /// Keeps the figures as JSON in this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Runs nothing; prints the second report's figures beside the first's.
    #[arg(long, num_args = 2, value_names = ["BEFORE", "AFTER"])]
    compare: Vec<PathBuf>,
    /// Sets an option of both services for this run, by its environment variable.
    #[arg(long, value_name = "VARIABLE=VALUE", value_parser = setting)]
    set: Vec<(String, String)>,
    /// Measures instead how fast so many connections move in, at the first of `--stored`, with sends beside it.
    #[arg(long, value_name = "PAIRS")]
    import: Option<u64>,
    /// Gives invitation-service a Redis of its own, of which Debian's redis-server is enough.
    #[arg(long)]
    redis: bool,
    /// Measures on a PostgreSQL of its own, of which Debian's postgresql is enough: there both services keep their stores.
    #[arg(long)]
    postgres: bool,
    /// How many processes of each service share the stores; each connection is to one of them in turn.
    #[arg(long, value_name = "PROCESSES", default_value_t = 1, requires = "postgres", conflicts_with = "import",
        value_parser = clap::value_parser!(u8).range(1..=8))]
    replicas: u8,
    /// The folder of the services' binaries; by default the one of this program.
    #[arg(long, value_name = "FOLDER")]
    binaries: Option<PathBuf>,
    /// Where filled stores are kept and worked on.
    #[arg(long, value_name = "FOLDER", default_value = "target/bench-data")]
    data: PathBuf,
    /// Serves the empty method instead.
    #[arg(long, hide = true, value_enum, requires = "port")]
    serve_empty: Option<empty::Server>,
    /// Where to.
    #[arg(long, hide = true)]
    port: Option<u16>,
}

fn setting(text: &str) -> Result<(String, String), &'static str> {
    let (variable, value) = text.split_once('=').ok_or("must be VARIABLE=VALUE")?;
    Ok((variable.to_owned(), value.to_owned()))
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    if let (Some(server), Some(port)) = (arguments.serve_empty, arguments.port) {
        return empty::serve(server, port);
    }
    if let [before, after] = arguments.compare.as_slice() {
        Report::read(after)?.print_against(&Report::read(before)?);
        return Ok(());
    }
    let (json, import) = (arguments.json.clone(), arguments.import);
    let plan = plan(arguments)?;
    // One thread, so that it takes little of what the services need.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    if let Some(pairs) = import {
        return runtime.block_on(import::run(&plan, pairs));
    }
    let report = runtime.block_on(measure::run(&plan))?;
    report.print();
    json.map_or(Ok(()), |path| report.write(&path))
}

fn plan(arguments: Arguments) -> anyhow::Result<Plan> {
    let mut binaries = std::env::current_exe()?;
    binaries.pop();
    std::fs::create_dir_all(&arguments.data)?;
    // Always in the same order: kinds that read come first, while nothing has been used up.
    let mut kinds = Kind::value_variants().to_vec();
    kinds.retain(|kind| arguments.kinds.is_empty() || arguments.kinds.contains(kind));
    Ok(Plan {
        kinds,
        in_flight: arguments.in_flight,
        stored: arguments.stored,
        spans: Spans {
            warm_up: Duration::try_from_secs_f64(arguments.warm_up)?,
            measured: Duration::try_from_secs_f64(arguments.seconds)?,
        },
        connections: arguments.connections,
        settings: arguments.set,
        redis: arguments.redis,
        engine: Engine::of(arguments.postgres),
        replicas: usize::from(arguments.replicas),
        binaries: arguments.binaries.unwrap_or(binaries),
        data: std::path::absolute(arguments.data)?,
    })
}

//! `copy-store --from FILE`: moves an embedded store into the database on PostgreSQL that is configured.
//!
//! Deliberately absent: the copying (see [`StoreCopy`]), and leading callers from the one to the other.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::Outcome;
use crate::config::StoreAddress;
use crate::postgres::{CopyError, CopyPlan, PostgresOptions, Step, StoreCopy};
use crate::sqlite::SqliteOptions;

const FROM: &str = "from";

/// The subcommand with its argument.
pub fn command() -> Command {
    let about = "moves an embedded store into the empty database on PostgreSQL that database.url names, and compares the two; no service may have either open";
    let again = "Broken off, it goes on where it was when it is run again; until it has ended no service opens the database. The file stays as it is: \
                 keep it until you are sure, and never start a service on it beside the database.";
    Command::new("copy-store")
        .about(about)
        .after_help(again)
        .arg(
            Arg::new(FROM)
                .long(FROM)
                .value_name("FILE")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("the store's file"),
        )
}

/// Does what the subcommand is for: copies the store in the file that is named, read with `options`, `to` a database and with its options.
pub fn run(
    matches: &ArgMatches,
    options: &SqliteOptions,
    to: (StoreAddress, &PostgresOptions),
    plan: CopyPlan,
) -> Outcome {
    let path: &PathBuf = matches.get_one(FROM).ok_or("a file must be named")?;
    let (StoreAddress::Postgres(url), to_options) = to else {
        return Err("database.url must name the database on PostgreSQL to copy into".into());
    };
    let from = SqliteOptions {
        path: path.clone(),
        ..options.clone()
    };
    super::block_on(1, async {
        let began = Instant::now();
        let copy = StoreCopy::begin(from, (*url).clone(), to_options, plan).await?;
        let bar = bar(&copy)?;
        let copied = copy.run(|step| show(&bar, step)).await;
        bar.finish_and_clear();
        copied?;
        let seconds = began.elapsed().as_secs_f64();
        println!("copied {} to {url} in {seconds:.1} s", path.display());
        Ok(ExitCode::SUCCESS)
    })
}

/// Shows how far a copy is, on standard error, if somebody looks at it. Each row comes by twice: it is copied, and compared.
fn bar(copy: &StoreCopy) -> Result<ProgressBar, CopyError> {
    if !std::io::stderr().is_terminal() {
        return Ok(ProgressBar::with_draw_target(
            None,
            ProgressDrawTarget::hidden(),
        ));
    }
    let style = ProgressStyle::with_template("{bar:40} {percent}% {msg}, {eta} left");
    let (rows, copied) = copy.rows()?;
    let bar = ProgressBar::new(rows.saturating_mul(2))
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    Ok(bar.with_position(copied))
}

fn show(bar: &ProgressBar, step: Step) {
    match step {
        Step::Copied { table, rows } => {
            bar.set_message(format!("copying {table}"));
            bar.inc(rows);
        }
        Step::Compared { table, rows } => {
            bar.set_message(format!("comparing {table}"));
            bar.inc(rows);
        }
        Step::Same { table, rows, took } => {
            let (noun, seconds) = (if rows == 1 { "row" } else { "rows" }, took.as_secs_f64());
            bar.suspend(|| {
                println!("{table}: {rows} {noun}, the same on both sides, {seconds:.1} s");
            });
        }
    }
}

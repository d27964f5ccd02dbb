//! The subcommands of a service with an embedded store: `backup`, `restore`.
//!
//! Deliberately absent: the copying (see [`crate::sqlite::back_up`]), and when to do it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use super::Outcome;
use crate::sqlite;

const TO: &str = "to";
const FROM: &str = "from";

/// `backup --to FILE`.
pub fn backup_command() -> Command {
    let about = "copies the store to a new file, also while the service runs";
    let help = "the new file; one that is there is not written over";
    Command::new("backup").about(about).arg(file(TO, help))
}

/// `restore --from FILE`.
pub fn restore_command() -> Command {
    let about = "puts a copy in the place of the store, which no service may have open; what was there is kept with .replaced added to its name";
    let help = "a file that backup has made";
    Command::new("restore").about(about).arg(file(FROM, help))
}

fn file(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("FILE")
        .required(true)
        .value_parser(clap::value_parser!(PathBuf))
        .help(help)
}

/// Does what `backup` is for, with the store in `store` and the migrations of its service.
pub fn backup(store: &Path, matches: &ArgMatches, migrations: &[(&str, &str)]) -> Outcome {
    let to = path(matches, TO)?;
    sqlite::back_up(store, to, migrations)?;
    println!("copied {} to {}", store.display(), to.display());
    Ok(ExitCode::SUCCESS)
}

/// Does what `restore` is for.
pub fn restore(store: &Path, matches: &ArgMatches, migrations: &[(&str, &str)]) -> Outcome {
    let from = path(matches, FROM)?;
    sqlite::restore(from, store, migrations)?;
    println!("restored {} from {}", store.display(), from.display());
    Ok(ExitCode::SUCCESS)
}

fn path<'a>(matches: &'a ArgMatches, name: &str) -> Result<&'a PathBuf, &'static str> {
    matches.get_one(name).ok_or("a file must be named")
}

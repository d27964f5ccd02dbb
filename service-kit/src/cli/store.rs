//! The subcommands that concern a service's store: `backup` and `restore` of an embedded one, `migrate` of one on PostgreSQL.
//!
//! Deliberately absent: the copying (see [`crate::sqlite::back_up`]) and migrating ([`crate::postgres::migrate`]), and when to do it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use super::Outcome;
use crate::config::StoreAddress;
use crate::postgres::{self, Connector, Migration, PostgresOptions};
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

/// The store's file.
fn file_of(store: &StoreAddress) -> Result<&Path, &'static str> {
    match store {
        StoreAddress::File(path) => Ok(path),
        StoreAddress::Postgres(_) => {
            Err("a store on PostgreSQL is copied by PostgreSQL's own programs")
        }
    }
}

/// Does what `backup` is for, with the store at `store` and the migrations of its service.
pub fn backup(store: &StoreAddress, matches: &ArgMatches, migrations: &[(&str, &str)]) -> Outcome {
    let (store, to) = (file_of(store)?, path(matches, TO)?);
    sqlite::back_up(store, to, migrations)?;
    println!("copied {} to {}", store.display(), to.display());
    Ok(ExitCode::SUCCESS)
}

/// Does what `restore` is for.
pub fn restore(store: &StoreAddress, matches: &ArgMatches, migrations: &[(&str, &str)]) -> Outcome {
    let (store, from) = (file_of(store)?, path(matches, FROM)?);
    sqlite::restore(from, store, migrations)?;
    println!("restored {} from {}", store.display(), from.display());
    Ok(ExitCode::SUCCESS)
}

/// `migrate`.
pub fn migrate_command() -> Command {
    let about = "brings the tables of a database on PostgreSQL to what this program expects, as its start does too; several may do so at once";
    Command::new("migrate").about(about)
}

/// Does what `migrate` is for, with the store at `store` and the migrations of its service.
pub fn migrate(
    store: StoreAddress,
    options: &PostgresOptions,
    migrations: &'static [Migration],
) -> Outcome {
    let StoreAddress::Postgres(url) = store else {
        return Err("an embedded store is migrated when it is opened".into());
    };
    let connector = Connector::new(*url, options, "migrate")?;
    super::block_on(1, async {
        let (client, _) = connector.connect().await?;
        let count = postgres::migrate(&client, migrations).await?;
        println!(
            "applied {count} of {} migrations; {} were there",
            migrations.len(),
            migrations.len().saturating_sub(count)
        );
        Ok(ExitCode::SUCCESS)
    })
}

fn path<'a>(matches: &'a ArgMatches, name: &str) -> Result<&'a PathBuf, &'static str> {
    matches.get_one(name).ok_or("a file must be named")
}

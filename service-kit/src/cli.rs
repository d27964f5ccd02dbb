//! The command line of a service: its flags are its configuration's keys, its subcommands what an operator does with it.
//!
//! `serve` (also without a subcommand), `print-config`, `check-config`, `healthcheck`, `new-token` and `new-secrets` are every service's; a service adds its
//! own with [`Program::command`]. Deliberately absent: what any of them does beyond the configuration, and prompts: nothing here asks back.

pub mod copy;
mod health;
mod secrets;
pub mod store;
mod tokens;

use std::error::Error;
use std::ffi::OsString;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

pub use health::reachable;

use crate::config::{FILE_FLAG, FILE_VARIABLE, Given, Key, Loaded, PRESET, Schema, flag, variable};
use crate::runtime;
use crate::telemetry;

/// What a subcommand comes to. An error is told with its causes, and the process ends with status 1.
pub type Outcome = Result<ExitCode, Box<dyn Error>>;

/// Does what a subcommand is for, with the configuration in force and the subcommand's own arguments.
pub type Run<C> = fn(Loaded<C>, &ArgMatches) -> Outcome;

/// A service as a program.
#[derive(Debug)]
pub struct Program<C> {
    about: &'static str,
    schema: Schema<C>,
    listen: fn(&C) -> SocketAddr,
    serve: fn(Loaded<C>) -> Outcome,
    commands: Vec<(Command, Run<C>)>,
}

impl<C: Clone + 'static> Program<C> {
    /// A program that is configured by `schema`. `listen` is the address that `healthcheck` asks; `serve` runs the service until it is
    /// told to end.
    pub fn new(
        about: &'static str,
        schema: Schema<C>,
        listen: fn(&C) -> SocketAddr,
        serve: fn(Loaded<C>) -> Outcome,
    ) -> Self {
        Self {
            about,
            schema,
            listen,
            serve,
            commands: Vec::new(),
        }
    }

    /// With a subcommand. Its own arguments must not be named like a key's flag.
    #[must_use]
    pub fn command(mut self, command: Command, run: Run<C>) -> Self {
        self.commands.push((command, run));
        self
    }

    /// Does what the arguments of the process ask for.
    pub fn run(self) -> ExitCode {
        self.run_with(std::env::args_os())
    }

    fn run_with(self, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
        let matches = match self.clap().try_get_matches_from(arguments) {
            Ok(matches) => matches,
            Err(asked_or_wrong) => {
                // Help goes to standard output, a mistake to standard error; where neither can be written, the status remains.
                let _ = asked_or_wrong.print();
                return u8::try_from(asked_or_wrong.exit_code())
                    .map_or(ExitCode::FAILURE, ExitCode::from);
            }
        };
        self.dispatch(&matches).unwrap_or_else(|error| {
            let told = telemetry::chain(&*error);
            if tracing::dispatcher::has_been_set() {
                tracing::error!("{told}");
            } else {
                eprintln!("error: {told}");
            }
            ExitCode::FAILURE
        })
    }

    fn dispatch(&self, matches: &ArgMatches) -> Outcome {
        let (name, own) = matches.subcommand().unwrap_or(("serve", matches));
        if name == "new-token" {
            return tokens::run(own);
        }
        if name == "new-secrets" {
            return secrets::run(own);
        }
        let loaded = self.schema.load(&self.given(own))?;
        if name == "serve" {
            return (self.serve)(loaded);
        }
        for warning in &loaded.warnings {
            eprintln!("warning: {warning}");
        }
        match name {
            "print-config" => {
                print!("{}", loaded.to_toml());
                Ok(ExitCode::SUCCESS)
            }
            "check-config" => {
                if !loaded.unknown_variables.is_empty() {
                    let unknown = loaded.unknown_variables.join(", ");
                    println!("not keys of {}: {unknown}", self.schema.service());
                }
                println!("the configuration of {} is right", self.schema.service());
                Ok(ExitCode::SUCCESS)
            }
            "healthcheck" => health::check((self.listen)(&loaded.config)),
            _ => {
                let known = self.commands.iter().find(|(own, _)| own.get_name() == name);
                let (_, run) = known.ok_or("no such subcommand")?;
                run(loaded, own)
            }
        }
    }

    fn given(&self, matches: &ArgMatches) -> Given {
        let paths = self.schema.keys().map(Key::path).chain([PRESET]);
        let flags = paths.filter_map(|path| {
            let text = matches.get_one::<String>(path)?;
            Some((path.to_owned(), text.clone()))
        });
        Given::of_process(
            flags.collect(),
            matches.get_one::<PathBuf>(FILE_FLAG).cloned(),
        )
    }

    fn clap(&self) -> Command {
        let service = self.schema.service();
        let file = Arg::new(FILE_FLAG)
            .long(FILE_FLAG)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(format!(
                "the configuration file, in TOML [env: {FILE_VARIABLE}]"
            ));
        let preset = Arg::new(PRESET)
            .long(PRESET)
            .value_name("NAME")
            .help(format!(
                "which set of values the defaults are taken from: {} [env: {}]",
                self.schema.preset_names(),
                variable(PRESET)
            ));
        let mut defaults = self.schema.defaults().clone();
        let keys = self
            .schema
            .sections()
            .iter()
            .flat_map(|section| section.keys.iter().map(|key| (section.title, key)));
        let keys = keys.map(|(title, key)| {
            let default = key.show(&mut defaults);
            let default = default.map_or_else(|| "not shown".to_owned(), |value| value.to_string());
            let help = format!(
                "{} [{}] [default: {}] [env: {}]",
                key.meaning(),
                key.kind().range(),
                default,
                variable(key.path())
            );
            Arg::new(key.path().to_owned())
                .long(flag(key.path()))
                .value_name(key.kind().value_name())
                .help(help)
                .help_heading(title)
                .allow_hyphen_values(true)
        });
        let arguments: Vec<Arg> = [file, preset]
            .into_iter()
            .chain(keys)
            .map(|argument| argument.global(true))
            .collect();
        let own = self.commands.iter().map(|(command, _)| command.clone());
        Command::new(service)
            .about(self.about)
            .version(env!("CARGO_PKG_VERSION"))
            .after_help("Every key is explained in docs/configuration.md. A flag beats the environment, which beats the file, the preset, the default.")
            .args(arguments)
            .subcommand(Command::new("serve").about("runs the service (also done without a subcommand)"))
            .subcommand(Command::new("print-config").about("prints the configuration in force as a file, each value with where it came from"))
            .subcommand(Command::new("check-config").about("checks the configuration; fails and tells every mistake if there is one"))
            .subcommand(Command::new("healthcheck").about("asks the service that runs with this configuration whether it serves; fails if not"))
            .subcommand(tokens::command())
            .subcommand(secrets::command())
            .subcommands(own)
    }
}

/// Runs `work` on a [runtime](runtime::build) of so many threads.
pub fn block_on<T>(
    threads: usize,
    work: impl Future<Output = Result<T, Box<dyn Error>>>,
) -> Result<T, Box<dyn Error>> {
    runtime::build(threads)?.block_on(work)
}

#[cfg(test)]
mod tests;

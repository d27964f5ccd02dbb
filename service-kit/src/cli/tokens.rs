//! Making a token for a caller.
//!
//! Deliberately absent: writing the tokens file. What it should say is printed, and whoever runs the service puts it there.

use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use super::Outcome;
use crate::auth::{Role, new_token};

/// `new-token NAME ROLE…`.
pub(super) fn command() -> Command {
    let roles = Role::ALL.map(Role::name);
    Command::new("new-token")
        .about("makes a caller's token; prints it, once, and what the tokens file should say of it")
        .arg(
            Arg::new("caller-name")
                .value_name("NAME")
                .required(true)
                .help("whose token it is"),
        )
        .arg(
            Arg::new("caller-roles")
                .value_name("ROLE")
                .required(true)
                .num_args(1..)
                .value_parser(roles)
                .help("what the caller may do"),
        )
}

/// Prints a new token to standard output, and its stanza after it.
pub(super) fn run(arguments: &ArgMatches) -> Outcome {
    let name = arguments.get_one::<String>("caller-name");
    let given = arguments.get_many::<String>("caller-roles");
    let given: Vec<_> = given.into_iter().flatten().map(String::as_str).collect();
    let roles = Role::ALL
        .into_iter()
        .filter(|role| given.contains(&role.name()));
    let new = new_token(name.map_or("", String::as_str), &roles.collect::<Vec<_>>())?;
    println!(
        "# The token, which is shown here and nowhere else:\n{}\n",
        new.token
    );
    print!("# For the tokens file:\n{}", new.stanza);
    Ok(ExitCode::SUCCESS)
}

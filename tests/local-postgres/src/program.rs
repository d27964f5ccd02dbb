//! PostgreSQL's programs, run as a user as whom they run.

use std::fs;
use std::io;
use std::os::unix::fs::chown;
use std::path::Path;
use std::process::{Command, Stdio};

use super::SYSTEM_USER;

/// Where Debian has the programs, each version in a folder of its own.
const DEBIAN: &str = "/usr/lib/postgresql";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Gives a folder to whom the programs run as.
pub(crate) fn leave_to_system_user(folder: &Path) -> io::Result<()> {
    if is_root() {
        let (user, group) = ids_of(SYSTEM_USER)?;
        chown(folder, Some(user), Some(group))?;
    }
    Ok(())
}

/// The ids of a user and of its group.
fn ids_of(name: &str) -> io::Result<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd")?;
    let ids = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        if fields.next()? != name {
            return None;
        }
        // After the password's field.
        let user = fields.nth(1)?.parse().ok()?;
        Some((user, fields.next()?.parse().ok()?))
    });
    ids.ok_or_else(|| {
        io::Error::other(format!(
            "there is no user {name}; Debian's postgresql makes it"
        ))
    })
}

/// One of PostgreSQL's programs, with what it is to be run by.
pub(crate) fn program_line(name: &str) -> Vec<String> {
    let newest = fs::read_dir(DEBIAN).ok().and_then(|versions| {
        let found = versions.filter_map(|version| {
            let path = version.ok()?.path();
            let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
            let program = path.join("bin").join(name);
            program.exists().then_some((number, program))
        });
        found.max()
    });
    let program = newest.map_or_else(|| name.to_owned(), |(_, path)| path.display().to_string());
    system_line(&program)
}

/// A program, with what it is to be run by.
pub(crate) fn system_line(program: &str) -> Vec<String> {
    let mut line = Vec::new();
    if is_root() {
        let as_user = [
            "setpriv",
            "--reuid",
            SYSTEM_USER,
            "--regid",
            SYSTEM_USER,
            "--clear-groups",
        ];
        line.extend(as_user.map(str::to_owned));
    }
    line.push(program.to_owned());
    line
}

/// [`program_line`] as a command, in a folder that everybody may be in.
pub(crate) fn program(name: &str) -> Command {
    let line = program_line(name);
    let mut words = line.iter();
    let mut command = Command::new(words.next().map_or(name, String::as_str));
    command.args(words).current_dir("/").stdin(Stdio::null());
    command
}

/// Runs it to its end, which must be a good one.
pub(crate) fn succeed(command: &mut Command) -> io::Result<()> {
    // Not piped: a server that was started holds the other end for as long as it runs.
    let status = command.stdout(Stdio::null()).status().map_err(|error| {
        let hint = "scripts/tools.sh postgres installs what is missing";
        io::Error::new(error.kind(), format!("{command:?}: {error}; {hint}"))
    })?;
    if status.success() {
        Ok(())
    } else {
        Err(io::Error::other(format!("{command:?} ended with {status}")))
    }
}

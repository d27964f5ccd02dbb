//! Making, once, the secrets that a pair needs to start: a token for each role, the tokens file, and passwords for what stands beside the pair.
//!
//! Deliberately absent: changing one that is there, and showing any. A token is replaced by hand, with `new-token`, while both the old and the new one
//! stand in the tokens file.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command};
use tempfile::NamedTempFile;

use super::Outcome;
use crate::auth::{Role, new_password, new_token};

const FOLDER: &str = "secrets-folder";
const PASSWORD: &str = "password";
const TOKENS_FILE: &str = "tokens.toml";

/// Why there are not all secrets.
#[derive(Debug, thiserror::Error)]
enum SecretsError {
    #[error("{} cannot be written", .0.display())]
    Write(PathBuf, #[source] io::Error),
    #[error("{0}")]
    Make(String),
    #[error("a password's name must be 1 to 64 of a-z, 0-9 and -, not {0:?}")]
    Name(String),
}

/// `new-secrets FOLDER --password NAME…`.
pub(super) fn command() -> Command {
    Command::new("new-secrets")
        .about("makes what is missing in a folder of: a token for each role (ROLE.token) with their tokens file (tokens.toml), and passwords; leaves what is there")
        .arg(
            Arg::new(FOLDER)
                .value_name("FOLDER")
                .required(true)
                .value_parser(clap::value_parser!(PathBuf))
                .help("the folder, which must be there; only this user can read what is made in it"),
        )
        .arg(
            Arg::new(PASSWORD)
                .long(PASSWORD)
                .value_name("NAME")
                .action(ArgAction::Append)
                .help("makes a password as NAME.password; may be repeated"),
        )
}

/// Makes what is missing, and says what it made. One at a time for a folder; broken off, it may be run again.
pub(super) fn run(arguments: &ArgMatches) -> Outcome {
    let folder = arguments.get_one::<PathBuf>(FOLDER);
    let folder = folder.map_or(Path::new("."), PathBuf::as_path);
    let names = arguments.get_many::<String>(PASSWORD);
    let names: Vec<_> = names.into_iter().flatten().collect();
    for made in make(folder, &names)? {
        println!("made {}", made.display());
    }
    Ok(ExitCode::SUCCESS)
}

/// The paths of what was made.
fn make(folder: &Path, passwords: &[&String]) -> Result<Vec<PathBuf>, SecretsError> {
    for name in passwords {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(plain) {
            return Err(SecretsError::Name((*name).clone()));
        }
    }
    let mut made = Vec::new();
    let tokens_file = folder.join(TOKENS_FILE);
    if !tokens_file.exists() {
        let mut stanzas = String::new();
        for role in Role::ALL {
            let new = new_token(role.name(), &[role]).map_err(SecretsError::Make)?;
            let path = folder.join(format!("{role}.token"));
            write(&path, &new.token)?;
            stanzas.push_str(&new.stanza);
            made.push(path);
        }
        // Last: tokens without it are of nobody, and made anew.
        write(&tokens_file, &stanzas)?;
        made.push(tokens_file);
    }
    for name in passwords {
        let path = folder.join(format!("{name}.password"));
        if !path.exists() {
            write(&path, &new_password().map_err(SecretsError::Make)?)?;
            made.push(path);
        }
    }
    Ok(made)
}

/// Writes a file, whole or not at all, that only its owner can read.
fn write(path: &Path, text: &str) -> Result<(), SecretsError> {
    let written = || {
        let mut file = NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(text.trim_end().as_bytes())?;
        file.write_all(b"\n")?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|error| SecretsError::Write(path.to_owned(), error))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::auth::{Callers, TokenFile};

    fn files(folder: &Path) -> Vec<(String, String, u32)> {
        let files = fs::read_dir(folder).unwrap().map(|file| {
            let file = file.unwrap();
            let name = file.file_name().into_string().unwrap();
            let mode = file.metadata().unwrap().permissions().mode() & 0o777;
            (name, fs::read_to_string(file.path()).unwrap(), mode)
        });
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    }

    #[test]
    fn makes_what_a_pair_starts_with_and_leaves_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let (store, cache) = ("store-1".to_owned(), "cache".to_owned());
        make(folder.path(), &[&store]).unwrap();
        let first = files(folder.path());
        let names: Vec<_> = first.iter().map(|(name, ..)| name.as_str()).collect();
        let expected = [
            "app.token",
            "operator.token",
            "peer.token",
            "service.token",
            "store-1.password",
            "tokens.toml",
        ];
        assert_eq!(names, expected);
        assert!(first.iter().all(|(.., mode)| *mode == 0o600), "{first:?}");
        // What the services read is what was written.
        Callers::load(Some(&folder.path().join(TOKENS_FILE))).unwrap();
        for role in Role::ALL {
            TokenFile::open(&folder.path().join(format!("{role}.token"))).unwrap();
        }
        let made = make(folder.path(), &[&store, &cache]).unwrap();
        assert_eq!(made, [folder.path().join("cache.password")]);
        let second = files(folder.path());
        assert!(first.iter().all(|file| second.contains(file)));
        let password = |name: &str| &second.iter().find(|(own, ..)| own == name).unwrap().1;
        assert_ne!(password("store-1.password"), password("cache.password"));
        assert_eq!(password("cache.password").trim_end().len(), 43);
    }

    #[test]
    fn tokens_without_their_file_are_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.token"), "half").unwrap();
        make(folder.path(), &[]).unwrap();
        let token = fs::read_to_string(folder.path().join("app.token")).unwrap();
        assert!(token.starts_with("acq_"), "{token}");
    }

    #[test]
    fn a_folder_that_is_not_there_and_a_name_that_is_a_path_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = make(&folder.path().join("absent"), &[]).unwrap_err();
        assert!(
            error.to_string().ends_with("app.token cannot be written"),
            "{error}"
        );
        for name in ["", "../x", "A", &"a".repeat(65)] {
            let error = make(folder.path(), &[&name.to_owned()]).unwrap_err();
            assert!(matches!(error, SecretsError::Name(_)), "{name}");
        }
        assert_eq!(files(folder.path()), []);
    }
}

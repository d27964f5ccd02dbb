//! `connection-service import FILE`: moves connections in from a CSV file, through a service that runs.
//!
//! The store belongs to the service while it runs, and the other service must be told; so a file goes the way of any import, as rows of
//! `ImportConnections`. A large file goes in parts, each a call of its own: what broke off is begun again with less. Deliberately absent: what becomes of
//! rows, which the service decides, malformed ones included.

mod file;
mod report;

use std::error::Error;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use acquaint_proto::connection::v1::ImportConnectionsRequest;
use acquaint_proto::connection::v1::connection_service_client::ConnectionServiceClient;
use clap::{Arg, ArgAction, ArgMatches, Command};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use service_kit::auth::{Bearer, TokenFile};
use service_kit::cli::{Outcome, block_on};
use service_kit::config::Loaded;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tonic::transport::Channel;

use self::file::Rows;
use self::report::Total;
use crate::Config;

const FILE: &str = "file";
const TO: &str = "to";
const TOKEN_FILE: &str = "token-file";
const CHECK: &str = "check";

/// The status of a run that some rows were refused in.
const SOME_REFUSED: u8 = 3;
/// How many rows go in one message.
const MESSAGE_ROWS: usize = 500;
/// How many rows go in one call: some seconds' worth, far less than a connection lasts.
const CALL_ROWS: u64 = 1_000_000;
/// How many messages wait to be sent.
const MESSAGES_WAITING: usize = 8;

/// The subcommand with its arguments.
pub fn command() -> Command {
    let path = |name: &'static str| Arg::new(name).value_parser(clap::value_parser!(PathBuf));
    let about = "moves connections in from a CSV file of two member ids and a time, through a service that runs; can be repeated";
    let status = "Ends with status 0 when every row is in, with 3 when some were refused, with 1 when it broke off: then run it again.";
    Command::new("import")
        .about(about)
        .after_help(status)
        .arg(
            path(FILE)
                .value_name("FILE.csv")
                .required(true)
                .help("the file, or - for standard input; times in RFC 3339, a date alone, or seconds since 1970; a first row with a third column without a digit is a header"),
        )
        .arg(
            Arg::new(TO)
                .long(TO)
                .value_name("URL")
                .help("the service; by default the one that runs with this configuration"),
        )
        .arg(
            path(TOKEN_FILE)
                .long(TOKEN_FILE)
                .value_name("FILE")
                .help("a file with the token of a caller that is an operator, where callers must show one"),
        )
        .arg(
            Arg::new(CHECK)
                .long(CHECK)
                .action(ArgAction::SetTrue)
                .help("reads the file and says what is malformed in it; asks and changes nothing"),
        )
}

/// Does what the subcommand is for.
#[allow(
    clippy::needless_pass_by_value,
    reason = "the form of every subcommand"
)]
pub fn run(loaded: Loaded<Config>, matches: &ArgMatches) -> Outcome {
    let path: &PathBuf = matches.get_one(FILE).ok_or("a file must be named")?;
    if matches.get_flag(CHECK) {
        let total = file::check(Rows::open(path)?)?;
        return Ok(ended(&total, "well-formed"));
    }
    let to = matches.get_one::<String>(TO).cloned();
    let to = to.unwrap_or_else(|| {
        let address = service_kit::cli::reachable(loaded.config.listen);
        format!("http://{address}")
    });
    let token = matches.get_one::<PathBuf>(TOKEN_FILE);
    let token = token.map(|path| TokenFile::open(path)).transpose()?;
    let import = import(path, to, Bearer::new(token));
    let total = block_on(loaded.config.runtime_threads, import)?;
    Ok(ended(&total, "created"))
}

/// Prints what became of all rows; `done`: what those are that count as created.
fn ended(total: &Total, done: &str) -> ExitCode {
    print!("{}", total.text(done));
    if total.refused() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(SOME_REFUSED)
    }
}

/// Sends all rows of the file, a call after the other.
async fn import(path: &Path, to: String, bearer: Bearer) -> Result<Total, Box<dyn Error>> {
    let mut rows = Rows::open(path)?;
    let progress = progress(rows.bytes());
    let mut total = Total::default();
    let endpoint = Channel::from_shared(to.clone())?;
    while !rows.ended() {
        let channel = endpoint.connect().await.map_err(|error| {
            format!(
                "no service at {to} ({error}): an import goes through connection-service, which must run"
            )
        })?;
        let mut client = ConnectionServiceClient::with_interceptor(channel, bearer.clone());
        let (sender, messages) = mpsc::channel(MESSAGES_WAITING);
        let bar = progress.clone();
        let sending = tokio::task::spawn_blocking(move || send(rows, &sender, &bar));
        let answer = client
            .import_connections(ReceiverStream::new(messages))
            .await;
        let (read, failed) = sending.await?;
        rows = read;
        // What the service says comes first: where it has ended the call, sending ended for that.
        match answer.map_err(|status| broke_off(&status)) {
            Ok(answer) => total.add(&answer.into_inner()),
            Err(error) => {
                progress.abandon();
                eprint!("{}", total.text("created"));
                return Err(error);
            }
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
    }
    progress.finish_and_clear();
    Ok(total)
}

fn broke_off(status: &Status) -> Box<dyn Error> {
    let (code, text) = (status.code(), status.message());
    format!("the import broke off: {code:?}: {text}; what was stored stays, so run it again").into()
}

/// Hands the rows of a call over; gives them back with what is left, and what they cannot be read for.
fn send(
    mut rows: Rows,
    messages: &mpsc::Sender<ImportConnectionsRequest>,
    progress: &ProgressBar,
) -> (Rows, Option<csv::Error>) {
    let mut left = CALL_ROWS;
    while left > 0 {
        let mut connections = Vec::with_capacity(MESSAGE_ROWS);
        for row in rows.by_ref().take(MESSAGE_ROWS) {
            match row {
                Ok(row) => connections.push(row),
                Err(error) => return (rows, Some(error)),
            }
        }
        if connections.is_empty() {
            break;
        }
        left = left.saturating_sub(connections.len() as u64);
        progress.set_position(rows.bytes_read());
        let message = ImportConnectionsRequest { connections };
        if messages.blocking_send(message).is_err() {
            break;
        }
    }
    (rows, None)
}

/// Shows how much of the file was taken, on standard error, if somebody looks at it.
fn progress(bytes: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(bytes, ProgressDrawTarget::hidden());
    }
    let Some(bytes) = bytes else {
        let style = ProgressStyle::with_template("{spinner} {bytes} {elapsed}");
        return ProgressBar::no_length()
            .with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    };
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    ProgressBar::new(bytes).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

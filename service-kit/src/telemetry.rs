//! The log of the process, and how it tells of errors.
//!
//! One line for each event, for people or as JSON, each with the id of the trace that it belongs to. Two things never come in, whatever is
//! asked for: what libraries say of requests beyond what concerns an operator (their headers may be credentials), and what a panic was told
//! (it may be a part of a message). Deliberately absent: metrics (see [`crate::metrics`]), spans (see [`crate::trace`]), files and their
//! rotation, and any member's data.

mod crash;
mod format;

use std::error::Error;
use std::str::FromStr;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Registry};

use format::Lines;

/// The environment variable that says what is logged, such as `info` or `warn,service_kit=debug`.
pub const LOG_VARIABLE: &str = "ACQUAINT_LOG";

/// How the log is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// What is logged, such as `info`, `debug` or `warn,acquaint::request=debug`; empty for `info` and worse.
    pub filter: String,
    /// For whom.
    pub format: LogFormat,
}

/// For whom the log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// People: a line of words.
    #[default]
    Human,
    /// Programs: an object of JSON in each line.
    Json,
}

/// A text is neither `human` nor `json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be human or json")]
pub struct UnknownLogFormat;

impl FromStr for LogFormat {
    type Err = UnknownLogFormat;

    fn from_str(text: &str) -> Result<Self, UnknownLogFormat> {
        match text {
            "human" => Ok(Self::Human),
            "json" => Ok(Self::Json),
            _ => Err(UnknownLogFormat),
        }
    }
}

/// Logs to standard error from now on, panics too. A directive that cannot be understood is reported and left out. Does nothing when the
/// process logs already. From now on the process leaves no memory image behind when it crashes.
pub fn init(options: &LogOptions) {
    let subscriber = subscriber(options, std::io::stderr);
    // Fails only when a subscriber is there already, as in tests.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        crash::tell_of_panics();
    }
    crash::leave_no_image();
}

fn subscriber<W>(options: &LogOptions, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = tracing_subscriber::fmt::layer()
        .event_format(Lines(options.format))
        .with_writer(writer)
        .with_ansi(false)
        .with_filter(filter(&options.filter).and(filter_fn(may_be_told)));
    Registry::default().with(lines)
}

/// Libraries that see what peers send.
const WIRE: [&str; 5] = ["h2", "hyper", "hyper_util", "tonic", "tower"];

fn may_be_told(metadata: &Metadata<'_>) -> bool {
    let of = metadata.target().split("::").next().unwrap_or_default();
    *metadata.level() <= tracing::Level::INFO || !WIRE.contains(&of)
}

/// The error with its causes, outermost first, in one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn filter(asked: &str) -> EnvFilter {
    EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse_lossy(asked)
}

#[cfg(test)]
mod tests;

//! The log of the process, and how it tells of errors.
//!
//! One line for each event, for people or as JSON, each with the id of the trace that it belongs to. Two things never come in, whatever is
//! asked for: what libraries say of requests beyond what concerns an operator (their headers may be credentials), and what a panic was told
//! (it may be a part of a message). Deliberately absent: metrics (see [`crate::metrics`]), spans (see [`crate::trace`]), files and their
//! rotation, and any member's data.

mod format;
mod panics;

use std::error::Error;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{Builder, FilterExt as _, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{EnvFilter, Registry};

use crate::config::{Choice, Form, Key};

use format::Lines;

/// How the log is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// What is logged, such as `info`, `debug` or `warn,acquaint::request=debug`. Default `info`.
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

impl Choice for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[("human", Self::Human), ("json", Self::Json)];
    const SHAPE: &'static str = "human | json";
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            format: LogFormat::Human,
        }
    }
}

impl LogOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::text(
                "log.filter",
                FILTER,
                |o: &mut Self| &mut o.filter,
                "what is logged to standard error, such as `info`, `debug` or `warn,acquaint::request=debug`",
            ),
            Key::text(
                "log.format",
                LogFormat::form(),
                |o: &mut Self| &mut o.format,
                "`human`: a line of words; `json`: an object in each line",
            ),
        ]
    }
}

/// Directives of the log.
const FILTER: Form<String> = Form {
    shape: "DIRECTIVES",
    parse: |text| match directives().parse(text) {
        Ok(_) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err("must be directives such as warn,acquaint::request=debug".to_owned()),
    },
    show: String::clone,
};

/// Logs to standard error from now on, panics too. Does nothing when the process logs already.
pub fn init(options: &LogOptions) {
    let subscriber = subscriber(options, std::io::stderr);
    // Fails only when a subscriber is there already, as in tests.
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        panics::tell();
    }
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
    directives().parse_lossy(asked)
}

/// What no directive speaks of is logged from `info` on.
fn directives() -> Builder {
    EnvFilter::builder().with_default_directive(LevelFilter::INFO.into())
}

#[cfg(test)]
mod tests;

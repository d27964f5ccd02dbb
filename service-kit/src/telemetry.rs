//! The log of the process, and how it tells of errors.
//!
//! Deliberately absent: metrics and traces, and any member's data: what is logged are conditions of the process and the store.

use std::error::Error;

use tracing_subscriber::EnvFilter;

/// The environment variable that says what is logged, such as `info` or `warn,service_kit=debug`.
pub const LOG_VARIABLE: &str = "ACQUAINT_LOG";

/// Logs to standard error from now on: `info` and worse, or what [`LOG_VARIABLE`] asks for. A directive that cannot be understood
/// is reported and left out. Does nothing when the process logs already.
pub fn init() {
    let asked = std::env::var(LOG_VARIABLE).unwrap_or_default();
    // Fails only when a subscriber is there already, as in tests.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter(&asked))
        .with_writer(std::io::stderr)
        .try_init();
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
    let usual = tracing_subscriber::filter::LevelFilter::INFO;
    EnvFilter::builder()
        .with_default_directive(usual.into())
        .parse_lossy(asked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite::OpenError;

    #[derive(Debug, thiserror::Error)]
    #[error("the store cannot be opened")]
    struct Outer(#[source] OpenError);

    #[test]
    fn logs_info_unless_asked_otherwise() {
        assert_eq!(filter("").to_string(), "info");
        assert_eq!(filter("warn").to_string(), "warn");
        assert_eq!(filter("not=a=filter").to_string(), "info");
    }

    #[test]
    fn an_error_is_told_with_all_its_causes() {
        let refused = std::io::Error::other("no more handles");
        assert_eq!(chain(&refused), "no more handles");
        let file = OpenError::File {
            path: "x.db".into(),
            source: refused,
        };
        assert_eq!(chain(&file), "cannot open x.db: no more handles");

        let text = "the store cannot be opened: cannot open x.db: no more handles";
        assert_eq!(chain(&Outer(file)), text);
    }

    #[test]
    fn can_be_called_again() {
        init();
        init();
    }
}

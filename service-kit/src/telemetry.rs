//! The log of the process.
//!
//! Deliberately absent: metrics and traces, and any member's data: what is logged are conditions of the process and the store.

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

fn filter(asked: &str) -> EnvFilter {
    let usual = tracing_subscriber::filter::LevelFilter::INFO;
    EnvFilter::builder()
        .with_default_directive(usual.into())
        .parse_lossy(asked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_info_unless_asked_otherwise() {
        assert_eq!(filter("").to_string(), "info");
        assert_eq!(filter("warn").to_string(), "warn");
        assert_eq!(filter("not=a=filter").to_string(), "info");
    }

    #[test]
    fn can_be_called_again() {
        init();
        init();
    }
}

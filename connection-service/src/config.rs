//! Every key of the configuration: meaning, unit, default, name in the environment; checked together at the start.
//!
//! Deliberately absent: reading the environment itself (`main` does), and secrets: there are none.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use service_kit::env::{ConfigError, Keys};
use service_kit::group_commit::GroupCommitOptions;
use service_kit::observability::ObservabilityOptions;
use service_kit::server::ServerOptions;
use service_kit::sqlite::SqliteOptions;
use service_kit::time::Span;
use service_kit::watch::WatchOptions;

use crate::domain::policy::Policy;

/// `ACQUAINT_LISTEN`: the address to listen on, of loopback. Default `127.0.0.1:50052`.
pub const LISTEN: &str = "ACQUAINT_LISTEN";
/// `ACQUAINT_DATABASE_URL`: the store, `sqlite:PATH`. Default `sqlite:data/connections.db`.
pub const DATABASE_URL: &str = "ACQUAINT_DATABASE_URL";
/// `ACQUAINT_SQLITE_SYNCHRONOUS`: `full` (default: what was answered survives a crash of the machine) or `normal` (the last commits
/// may not).
pub const SQLITE_SYNCHRONOUS: &str = "ACQUAINT_SQLITE_SYNCHRONOUS";
/// `ACQUAINT_CONNECTIONS_MAX`: how many connections a member may have. Default 30000.
pub const CONNECTIONS_MAX: &str = "ACQUAINT_CONNECTIONS_MAX";
/// `ACQUAINT_BLOCKS_MAX`: how many others a member may block. Default 100000.
pub const BLOCKS_MAX: &str = "ACQUAINT_BLOCKS_MAX";
/// `ACQUAINT_REMOVAL_MARKS_MAX`: how many removal marks a member may have. Default 1000.
pub const REMOVAL_MARKS_MAX: &str = "ACQUAINT_REMOVAL_MARKS_MAX";
/// `ACQUAINT_REMOVAL_MARK_HOURS`: how long a removal stands against earlier acceptances, in hours. Default 24.
pub const REMOVAL_MARK_HOURS: &str = "ACQUAINT_REMOVAL_MARK_HOURS";
/// `ACQUAINT_FACTS_KEPT_DAYS`: how long facts stay in the feed, in days. Default 7.
pub const FACTS_KEPT_DAYS: &str = "ACQUAINT_FACTS_KEPT_DAYS";
/// `ACQUAINT_VERDICTS_KEPT_DAYS`: how long verdicts stay after their facts were acknowledged, in days. Default 30.
pub const VERDICTS_KEPT_DAYS: &str = "ACQUAINT_VERDICTS_KEPT_DAYS";
/// `ACQUAINT_ACKNOWLEDGEMENT_WAIT_MILLIS`: how long removals, blocks and erasures wait for invitation-service, in milliseconds.
/// Default 200.
pub const ACKNOWLEDGEMENT_WAIT_MILLIS: &str = "ACQUAINT_ACKNOWLEDGEMENT_WAIT_MILLIS";

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address that `main` listens on.
    pub listen: SocketAddr,
    /// Where figures and traces go. Default: figures are not shown, traces are not exported.
    pub observability: ObservabilityOptions,
    /// The store's file.
    pub database: SqliteOptions,
    /// The bounds of the store's writer.
    pub group_commit: GroupCommitOptions,
    /// The numbers of the rules.
    pub policy: Policy,
    /// The bounds of streams.
    pub watches: WatchOptions,
    /// What a peer may make the server hold, and how long it drains.
    pub server: ServerOptions,
    /// How often the worker looks for something to do. Default 100 ms.
    pub worker_poll: Duration,
}

impl Config {
    /// The defaults, with the store in `database`.
    pub fn new(database: SqliteOptions) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_052)),
            observability: ObservabilityOptions::default(),
            database,
            group_commit: GroupCommitOptions::default(),
            policy: Policy::default(),
            watches: WatchOptions::default(),
            server: ServerOptions::default(),
            worker_poll: Duration::from_millis(100),
        }
    }

    /// The configuration that `get` knows by the keys of this module. Fails with every mistake at once.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut keys = Keys::new(get);
        let mut config = Self::new(SqliteOptions::new("data/connections.db"));
        keys.address(LISTEN, &mut config.listen);
        keys.database(DATABASE_URL, &mut config.database.path);
        keys.synchronous(SQLITE_SYNCHRONOUS, &mut config.database.synchronous);
        let policy = &mut config.policy;
        keys.count(CONNECTIONS_MAX, 1, &mut policy.connections_max);
        keys.count(BLOCKS_MAX, 0, &mut policy.blocks_max);
        keys.count(REMOVAL_MARKS_MAX, 1, &mut policy.removal_marks_max);
        let mut span = |key, unit, value| keys.span(key, unit, 1, u32::MAX, value);
        span(
            REMOVAL_MARK_HOURS,
            Span::hours(1),
            &mut policy.removal_mark_kept,
        );
        span(FACTS_KEPT_DAYS, Span::days(1), &mut policy.facts_kept);
        span(VERDICTS_KEPT_DAYS, Span::days(1), &mut policy.verdicts_kept);
        span(
            ACKNOWLEDGEMENT_WAIT_MILLIS,
            Span::millis(1),
            &mut policy.acknowledgement_wait,
        );
        keys.check()?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use service_kit::sqlite::Synchronous;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let known: std::collections::HashMap<_, _> = pairs.iter().copied().collect();
        Config::from_env(|key| known.get(key).map(|text| (*text).to_owned()))
    }

    #[test]
    fn has_defaults_for_everything() {
        let config = of(&[]).unwrap();
        assert_eq!(
            config,
            Config::new(SqliteOptions::new("data/connections.db"))
        );
        assert_eq!(config.listen.to_string(), "127.0.0.1:50052");
    }

    #[test]
    fn takes_every_key() {
        let config = of(&[
            (LISTEN, "[::1]:7"),
            (DATABASE_URL, "sqlite:/tmp/x.db"),
            (SQLITE_SYNCHRONOUS, "normal"),
            (CONNECTIONS_MAX, "5"),
            (BLOCKS_MAX, "0"),
            (REMOVAL_MARKS_MAX, "7"),
            (REMOVAL_MARK_HOURS, "8"),
            (FACTS_KEPT_DAYS, "9"),
            (VERDICTS_KEPT_DAYS, "10"),
            (ACKNOWLEDGEMENT_WAIT_MILLIS, "11"),
        ])
        .unwrap();
        assert_eq!(config.listen.to_string(), "[::1]:7");
        assert_eq!(config.database.path.to_str(), Some("/tmp/x.db"));
        assert_eq!(config.database.synchronous, Synchronous::Normal);
        assert_eq!(
            config.policy,
            Policy {
                connections_max: 5,
                blocks_max: 0,
                removal_marks_max: 7,
                removal_mark_kept: Span::hours(8),
                facts_kept: Span::days(9),
                verdicts_kept: Span::days(10),
                acknowledgement_wait: Span::millis(11),
                ..Policy::default()
            }
        );
    }

    #[test]
    fn names_every_mistake_at_once() {
        let error = of(&[
            (LISTEN, "here"),
            (DATABASE_URL, "mysql:x"),
            (SQLITE_SYNCHRONOUS, "off"),
            (CONNECTIONS_MAX, "0"),
            (FACTS_KEPT_DAYS, "-1"),
        ])
        .unwrap_err();
        assert_eq!(error.mistakes().len(), 5, "{error}");
        for key in [
            LISTEN,
            DATABASE_URL,
            SQLITE_SYNCHRONOUS,
            CONNECTIONS_MAX,
            FACTS_KEPT_DAYS,
        ] {
            assert!(error.to_string().contains(key), "{key}");
        }
    }
}

//! Every key of the configuration: meaning, unit, default, name in the environment; checked together at the start.
//!
//! Deliberately absent: reading the environment itself (`main` does), and secrets: there are none.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use service_kit::group_commit::GroupCommitOptions;
use service_kit::server::ServerOptions;
use service_kit::sqlite::{SqliteOptions, Synchronous, parse_database_url};
use service_kit::time::Span;

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

/// The bounds of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// How many streams may be open at a time. Default 10,000.
    pub open_max: usize,
    /// After how long without a message a stream shows a sign of life. Default 15 s.
    pub heartbeat: Duration,
    /// How long a message may wait for its consumer. Default 10 s.
    pub hand_over_max: Duration,
    /// How many messages may wait for their consumer. Default 16.
    pub waiting_messages_max: usize,
    /// How many positions of the feed are read at once. Default 500.
    pub positions_at_once_max: u32,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            open_max: 10_000,
            heartbeat: Duration::from_secs(15),
            hand_over_max: Duration::from_secs(10),
            waiting_messages_max: 16,
            positions_at_once_max: 500,
        }
    }
}

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address that `main` listens on.
    pub listen: SocketAddr,
    /// The store's file.
    pub database: SqliteOptions,
    /// The bounds of the store's writer.
    pub group_commit: GroupCommitOptions,
    /// The numbers of the rules.
    pub policy: Policy,
    /// The bounds of streams.
    pub streams: StreamOptions,
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
            database,
            group_commit: GroupCommitOptions::default(),
            policy: Policy::default(),
            streams: StreamOptions::default(),
            server: ServerOptions::default(),
            worker_poll: Duration::from_millis(100),
        }
    }

    /// The configuration that `get` knows by the keys of this module. Fails with every mistake at once.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut keys = Keys {
            get,
            mistakes: Vec::new(),
        };
        let database = keys
            .parsed(DATABASE_URL, |text| {
                parse_database_url(text).map_err(|error| error.to_string())
            })
            .unwrap_or_else(|| "data/connections.db".into());
        let mut config = Self::new(SqliteOptions::new(database));
        if let Some(listen) = keys.parsed(LISTEN, |text| {
            SocketAddr::from_str(text).map_err(|_| "must be ADDRESS:PORT".to_owned())
        }) {
            config.listen = listen;
        }
        if let Some(synchronous) = keys.parsed(SQLITE_SYNCHRONOUS, |text| match text {
            "full" => Ok(Synchronous::Full),
            "normal" => Ok(Synchronous::Normal),
            _ => Err("must be full or normal".to_owned()),
        }) {
            config.database.synchronous = synchronous;
        }
        let policy = &mut config.policy;
        keys.count(CONNECTIONS_MAX, 1, &mut policy.connections_max);
        keys.count(BLOCKS_MAX, 0, &mut policy.blocks_max);
        keys.count(REMOVAL_MARKS_MAX, 1, &mut policy.removal_marks_max);
        keys.span(
            REMOVAL_MARK_HOURS,
            Span::hours(1),
            &mut policy.removal_mark_kept,
        );
        keys.span(FACTS_KEPT_DAYS, Span::days(1), &mut policy.facts_kept);
        keys.span(VERDICTS_KEPT_DAYS, Span::days(1), &mut policy.verdicts_kept);
        keys.span(
            ACKNOWLEDGEMENT_WAIT_MILLIS,
            Span::millis(1),
            &mut policy.acknowledgement_wait,
        );
        if keys.mistakes.is_empty() {
            Ok(config)
        } else {
            Err(ConfigError(keys.mistakes))
        }
    }
}

/// Every mistake of a configuration, each with its key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has mistakes: {}", self.0.join("; "))
    }
}

struct Keys<G> {
    get: G,
    mistakes: Vec<String>,
}

impl<G: Fn(&str) -> Option<String>> Keys<G> {
    fn parsed<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = (self.get)(key)?;
        parse(&text)
            .map_err(|rule| self.mistakes.push(format!("{key} {rule}")))
            .ok()
    }

    fn count(&mut self, key: &str, min: u32, value: &mut u32) {
        let parse = |text: &str| {
            let parsed = text.parse::<u32>().ok().filter(|count| *count >= min);
            parsed.ok_or_else(|| format!("must be a whole number of at least {min}"))
        };
        if let Some(parsed) = self.parsed(key, parse) {
            *value = parsed;
        }
    }

    fn span(&mut self, key: &str, unit: Span, value: &mut Span) {
        let mut count = 0;
        let before = self.mistakes.len();
        if (self.get)(key).is_some() {
            self.count(key, 1, &mut count);
            if self.mistakes.len() == before {
                *value = Span::millis(unit.as_millis().saturating_mul(i64::from(count)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
        assert_eq!(error.0.len(), 5, "{error}");
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

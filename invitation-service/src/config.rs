//! Every key of the configuration: meaning, unit, default, name in the environment; checked together at the start.
//!
//! Deliberately absent: reading the environment itself (`main` does), and secrets: there are none.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use service_kit::{
    env::{ConfigError, Keys},
    observability::ObservabilityOptions,
    server::ServerOptions,
    sqlite::SqliteOptions,
    time::Span,
    watch::WatchOptions,
};

use crate::{connections::RemoteOptions, domain::policy::Policy};

/// `ACQUAINT_LISTEN`: the address to listen on, of loopback. Default `127.0.0.1:50051`.
pub const LISTEN: &str = "ACQUAINT_LISTEN";
/// `ACQUAINT_DATABASE_URL`: the store, `sqlite:PATH`. Default `sqlite:data/invitations.db`.
pub const DATABASE_URL: &str = "ACQUAINT_DATABASE_URL";
/// `ACQUAINT_CONNECTION_URL`: where connection-service listens. Default `http://127.0.0.1:50052`.
pub const CONNECTION_URL: &str = "ACQUAINT_CONNECTION_URL";
/// `ACQUAINT_SQLITE_SYNCHRONOUS`: `full` (default: what was answered survives a crash of the machine) or `normal` (the last commits may
/// not).
pub const SQLITE_SYNCHRONOUS: &str = "ACQUAINT_SQLITE_SYNCHRONOUS";
/// `ACQUAINT_WEEKLY_CAP`: how many invitations a member may send in any seven days. Default 100.
pub const WEEKLY_CAP: &str = "ACQUAINT_WEEKLY_CAP";
/// `ACQUAINT_PENDING_SENT_MAX`: how many unanswered invitations an inviter may have. Default 1500.
pub const PENDING_SENT_MAX: &str = "ACQUAINT_PENDING_SENT_MAX";
/// `ACQUAINT_PENDING_RECEIVED_SOFT_MAX`: with how many unanswered invitations further ones are filtered. Default 10000.
pub const PENDING_RECEIVED_SOFT_MAX: &str = "ACQUAINT_PENDING_RECEIVED_SOFT_MAX";
/// `ACQUAINT_CONNECTIONS_MAX`: with how many connections a member cannot send; the same key, with the same value, sets
/// connection-service's limit. Default 30000.
pub const CONNECTIONS_MAX: &str = "ACQUAINT_CONNECTIONS_MAX";
/// `ACQUAINT_PROBE_REFUSALS_MAX`: how many masked refusals a member may meet in 24 hours. Default 30.
pub const PROBE_REFUSALS_MAX: &str = "ACQUAINT_PROBE_REFUSALS_MAX";
/// `ACQUAINT_INVITATION_LIFETIME_DAYS`: after how many days an unanswered invitation expires, 1 to 3650. Default 180.
pub const INVITATION_LIFETIME_DAYS: &str = "ACQUAINT_INVITATION_LIFETIME_DAYS";
/// `ACQUAINT_DECLINE_COOLDOWN_DAYS`: for how many days after a decline the inviter cannot invite that member, 0 to 365. Default 21.
pub const DECLINE_COOLDOWN_DAYS: &str = "ACQUAINT_DECLINE_COOLDOWN_DAYS";
/// `ACQUAINT_RESEND_COOLDOWN_AFTER_WITHDRAW_DAYS`: for how many days after a withdrawal the inviter cannot invite that member, 0 to 30.
/// Default 0.
pub const RESEND_COOLDOWN_AFTER_WITHDRAW_DAYS: &str =
    "ACQUAINT_RESEND_COOLDOWN_AFTER_WITHDRAW_DAYS";

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address that `main` listens on.
    pub listen: SocketAddr,
    /// Where figures and traces go. Default: figures are not shown, traces are not exported.
    pub observability: ObservabilityOptions,
    /// The store's file.
    pub database: SqliteOptions,
    /// connection-service.
    pub connections: RemoteOptions,
    /// The numbers of the rules.
    pub policy: Policy,
    /// The bounds of streams.
    pub watches: WatchOptions,
    /// What a peer may make the server hold, and how long it drains.
    pub server: ServerOptions,
    /// How often the worker looks for something to do. Default 100 ms.
    pub worker_poll: Duration,
    /// How many members the limiter within the process knows. Default 100,000.
    pub limiter_members_max: u64,
}

impl Config {
    /// The defaults, with the store in `database`.
    pub fn new(database: SqliteOptions) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_051)),
            observability: ObservabilityOptions::default(),
            database,
            connections: RemoteOptions {
                url: "http://127.0.0.1:50052".to_owned(),
                ask_wait_max: Duration::from_millis(50),
                verdict_wait_max: Duration::from_secs(3),
            },
            policy: Policy::default(),
            watches: WatchOptions::default(),
            server: ServerOptions::default(),
            worker_poll: Duration::from_millis(100),
            limiter_members_max: 100_000,
        }
    }

    /// The configuration that `get` knows by the keys of this module. Fails with every mistake at once.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut keys = Keys::new(get);
        let mut config = Self::new(SqliteOptions::new("data/invitations.db"));
        keys.address(LISTEN, &mut config.listen);
        keys.database(DATABASE_URL, &mut config.database.path);
        keys.synchronous(SQLITE_SYNCHRONOUS, &mut config.database.synchronous);
        if let Some(url) = keys.parsed(CONNECTION_URL, |text| {
            let malformed = || "must be http://HOST:PORT".to_owned();
            let url: http::Uri = text.parse().map_err(|_| malformed())?;
            let right = url.scheme_str() == Some("http") && url.port().is_some();
            right.then(|| text.to_owned()).ok_or_else(malformed)
        }) {
            config.connections.url = url;
        }
        let policy = &mut config.policy;
        keys.count(WEEKLY_CAP, 0, &mut policy.weekly_cap);
        keys.count(PENDING_SENT_MAX, 1, &mut policy.pending_sent_max);
        keys.count(
            PENDING_RECEIVED_SOFT_MAX,
            0,
            &mut policy.pending_received_soft_max,
        );
        keys.count(CONNECTIONS_MAX, 1, &mut policy.connections_max);
        keys.count(PROBE_REFUSALS_MAX, 1, &mut policy.probe_refusals_max);
        let day = Span::days(1);
        keys.span(
            INVITATION_LIFETIME_DAYS,
            day,
            1,
            3_650,
            &mut policy.invitation_lifetime,
        );
        keys.span(
            DECLINE_COOLDOWN_DAYS,
            day,
            0,
            365,
            &mut policy.decline_cooldown,
        );
        keys.span(
            RESEND_COOLDOWN_AFTER_WITHDRAW_DAYS,
            day,
            0,
            30,
            &mut policy.withdraw_cooldown,
        );
        keys.check()?;
        Ok(config)
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
            Config::new(SqliteOptions::new("data/invitations.db"))
        );
    }

    #[test]
    fn takes_every_key() {
        let config = of(&[
            (LISTEN, "[::1]:7"),
            (DATABASE_URL, "sqlite:/tmp/x.db"),
            (CONNECTION_URL, "http://localhost:9"),
            (SQLITE_SYNCHRONOUS, "normal"),
            (WEEKLY_CAP, "0"),
            (PENDING_SENT_MAX, "2"),
            (PENDING_RECEIVED_SOFT_MAX, "3"),
            (CONNECTIONS_MAX, "4"),
            (PROBE_REFUSALS_MAX, "5"),
            (INVITATION_LIFETIME_DAYS, "6"),
            (DECLINE_COOLDOWN_DAYS, "7"),
            (RESEND_COOLDOWN_AFTER_WITHDRAW_DAYS, "8"),
        ])
        .unwrap();
        assert_eq!(config.listen.to_string(), "[::1]:7");
        assert_eq!(config.database.path.to_str(), Some("/tmp/x.db"));
        assert_eq!(config.connections.url, "http://localhost:9");
        let expected = Policy {
            weekly_cap: 0,
            pending_sent_max: 2,
            pending_received_soft_max: 3,
            connections_max: 4,
            probe_refusals_max: 5,
            invitation_lifetime: Span::days(6),
            decline_cooldown: Span::days(7),
            withdraw_cooldown: Span::days(8),
            ..Policy::default()
        };
        assert_eq!(config.policy, expected);
    }

    #[test]
    fn names_every_mistake_at_once() {
        let wrong = [
            (LISTEN, "here"),
            (DATABASE_URL, "mysql:x"),
            (CONNECTION_URL, "localhost"),
            (WEEKLY_CAP, "-1"),
            (RESEND_COOLDOWN_AFTER_WITHDRAW_DAYS, "31"),
        ];
        let error = of(&wrong).unwrap_err();
        assert_eq!(error.mistakes().len(), wrong.len(), "{error}");
        for (key, _) in wrong {
            assert!(error.to_string().contains(key), "{key}");
        }
    }
}

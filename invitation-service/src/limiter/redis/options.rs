//! What the limiter over Redis can be told, and every key of it.
//!
//! Deliberately absent: what limiters of either kind count by ([`super::super::LimiterRules`]).

use std::{path::PathBuf, time::Duration};

use service_kit::config::{Findings, Key, PATH, Unit};

use super::url::{REDIS_URL, RedisUrl};

/// Where Redis is, and how long it is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedisOptions {
    /// Where Redis is; `None`, the default, where charges are kept within the process.
    pub url: Option<RedisUrl>,
    /// A file with the password; `None` where the URL has it, or there is none.
    pub password_file: Option<PathBuf>,
    /// Who vouches for the server's certificate, in PEM; `None` where the system knows.
    pub ca_file: Option<PathBuf>,
    /// How long a call may take. Default 25 ms.
    pub timeout: Duration,
    /// How long connecting may take, to the first answer. Default 500 ms.
    pub connect_timeout: Duration,
    /// How many calls in a row may fail before Redis counts as away. At least 1. Default 5.
    pub failures_max: u32,
    /// How long is waited before Redis, while it is away, is tried again. Default 250 ms.
    pub retry: Duration,
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self {
            url: None,
            password_file: None,
            ca_file: None,
            timeout: Duration::from_millis(25),
            connect_timeout: Duration::from_millis(500),
            failures_max: 5,
            retry: Duration::from_millis(250),
        }
    }
}

impl RedisOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::optional(
                "redis.url",
                REDIS_URL,
                |o: &mut Self| &mut o.url,
                "the Redis that keeps what members have sent in the week, in front of the store; without it each process keeps that for itself. \
                 Also `rediss://` (TLS), `redis+sentinel://HOST:PORT,HOST:PORT/MASTER`, `redis+cluster://HOST:PORT,HOST:PORT`, `redis+unix:///PATH`",
            )
            .secret(),
            Key::optional(
                "redis.password_file",
                PATH,
                |o: &mut Self| &mut o.password_file,
                "a file with the password for Redis, read anew for each connection",
            ),
            Key::optional(
                "redis.ca_file",
                PATH,
                |o: &mut Self| &mut o.ca_file,
                "certificates, in PEM, of those who vouch for Redis's own; without it those that the system trusts",
            ),
            Key::span(
                "redis.timeout_millis",
                Unit::Millis,
                1..=10_000,
                |o: &mut Self| &mut o.timeout,
                "time that a send waits for Redis; then the store alone decides",
            ),
            Key::span(
                "redis.connect_timeout_millis",
                Unit::Millis,
                10..=60_000,
                |o: &mut Self| &mut o.connect_timeout,
                "time that connecting to Redis may take; no send waits for it",
            ),
            Key::count(
                "redis.failures_max",
                "calls",
                1..=10_000,
                |o: &mut Self| &mut o.failures_max,
                "calls in a row that fail or take too long before Redis counts as away and is no longer asked; a connection that breaks is enough",
            ),
            Key::span(
                "redis.retry_millis",
                Unit::Millis,
                10..=60_000,
                |o: &mut Self| &mut o.retry,
                "time between two attempts to reach Redis while it is away",
            ),
        ]
    }

    /// What does not fit together, or should be known.
    pub fn check(&self, findings: &mut Findings) {
        let Some(url) = &self.url else {
            for (key, file) in [
                ("redis.password_file", &self.password_file),
                ("redis.ca_file", &self.ca_file),
            ] {
                if file.is_some() {
                    findings.wrong(&[key, "redis.url"], "is of no use without redis.url");
                }
            }
            return;
        };
        if url.has_password() && self.password_file.is_some() {
            findings.wrong(
                &["redis.password_file", "redis.url"],
                "must not be given beside a password in redis.url: which of the two would hold?",
            );
        }
        if self.ca_file.is_some() && !url.is_tls() {
            findings.wrong(
                &["redis.ca_file", "redis.url"],
                "must not be given without TLS (rediss://): nobody would look at it",
            );
        }
        if self.timeout > Duration::from_millis(250) {
            findings.risky(
                &["redis.timeout_millis"],
                "a Redis that hangs holds up each send by this time, twice, until enough have failed",
            );
        }
    }
}

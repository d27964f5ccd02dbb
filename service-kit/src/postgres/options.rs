//! What a store on PostgreSQL can be told, and every key of it.
//!
//! Deliberately absent: where the database is, which is the key of every store (`database.url`).

use std::path::PathBuf;
use std::time::Duration;

use super::{LANES_MAX, PostgresUrl};
use crate::config::{Findings, Key, PATH, Unit};

/// How a database on PostgreSQL is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresOptions {
    /// A file with the password; `None` where the URL has it, or there is none.
    pub password_file: Option<PathBuf>,
    /// Who vouches for the server's certificate, in PEM; `None` where the system knows.
    pub ca_file: Option<PathBuf>,
    /// How many connections read; one more writes. At least 1. Default 8.
    pub readers: usize,
    /// How many reads may wait for a connection; one more is answered [`crate::error::StoreError::Overloaded`]. Default 4,096.
    pub reader_queue_max: usize,
    /// How long a read waits for a connection. Default 1 s.
    pub reader_wait: Duration,
    /// How long making a connection may take. Default 2 s.
    pub connect_timeout: Duration,
    /// How long one statement may take. Default 5 s.
    pub statement_timeout: Duration,
    /// How long one statement waits for a row that another transaction has locked. Default 1 s.
    pub lock_timeout: Duration,
    /// How often the end of the feed is looked at for what other processes have written. Default 50 ms.
    pub poll: Duration,
    /// Over how many lanes a new database spreads its rows. Default 1.
    pub lanes: u16,
}

impl Default for PostgresOptions {
    fn default() -> Self {
        Self {
            password_file: None,
            ca_file: None,
            readers: 8,
            reader_queue_max: 4_096,
            reader_wait: Duration::from_secs(1),
            connect_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(1),
            poll: Duration::from_millis(50),
            lanes: 1,
        }
    }
}

impl PostgresOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::optional(
                "postgres.password_file",
                PATH,
                |o: &mut Self| &mut o.password_file,
                "a file with the password for PostgreSQL, read anew for each connection",
            ),
            Key::optional(
                "postgres.ca_file",
                PATH,
                |o: &mut Self| &mut o.ca_file,
                "certificates, in PEM, of those who vouch for PostgreSQL's own; without it those that the system trusts",
            ),
            Key::count(
                "postgres.readers",
                "connections",
                1..=1_000,
                |o: &mut Self| &mut o.readers,
                "connections that read, each made when it is needed; one more writes",
            ),
            Key::count(
                "postgres.reader_queue_max",
                "reads",
                1..=1_000_000,
                |o: &mut Self| &mut o.reader_queue_max,
                "reads that may wait for a connection; one more is refused",
            ),
            Key::span(
                "postgres.reader_wait_millis",
                Unit::Millis,
                1..=60_000,
                |o: &mut Self| &mut o.reader_wait,
                "time that a read waits for a connection; then it is refused",
            ),
            Key::span(
                "postgres.connect_timeout_millis",
                Unit::Millis,
                10..=60_000,
                |o: &mut Self| &mut o.connect_timeout,
                "time that making a connection may take, over all hosts of the URL",
            ),
            Key::span(
                "postgres.statement_timeout_millis",
                Unit::Millis,
                10..=600_000,
                |o: &mut Self| &mut o.statement_timeout,
                "time that one statement may take; a server that does not answer within it counts as away",
            ),
            Key::span(
                "postgres.lock_timeout_millis",
                Unit::Millis,
                10..=600_000,
                |o: &mut Self| &mut o.lock_timeout,
                "time that a commit waits for a row that another process has locked; then it lets go of its own and begins anew",
            ),
            Key::span(
                "postgres.poll_millis",
                Unit::Millis,
                1..=60_000,
                |o: &mut Self| &mut o.poll,
                "time between two looks for what other processes have written, and so by how much watchers here hear of it later than there",
            ),
            Key::count(
                "postgres.lanes",
                "lanes",
                1..=u64::from(LANES_MAX),
                |o: &mut Self| &mut o.lanes,
                "parts over which a new database spreads its rows; fixed when it is made. 1 is best on one server, for a commit asks each part \
                 that it touches; a distributed one wants as many as it has shards",
            ),
        ]
    }

    /// What does not fit together, or should be known, of the options with which the database at `url` is used.
    pub fn check(&self, url: &PostgresUrl, findings: &mut Findings) {
        if url.has_password() && self.password_file.is_some() {
            findings.wrong(
                &["postgres.password_file", "database.url"],
                "must not be given beside a password in database.url: which of the two would hold?",
            );
        }
        if self.ca_file.is_some() && !url.is_tls() {
            findings.wrong(
                &["postgres.ca_file", "database.url"],
                "must not be given without TLS: nobody would look at it",
            );
        }
        if url.is_in_clear() {
            findings.risky(
                &["database.url"],
                "what the store keeps goes over the network in clear, and whoever answers in the server's place is believed",
            );
        }
        if self.lock_timeout >= self.statement_timeout {
            findings.risky(
                &["postgres.lock_timeout_millis", "postgres.statement_timeout_millis"],
                "a commit that waits for a locked row is taken for a server that does not answer, and fails instead of beginning anew",
            );
        }
    }
}

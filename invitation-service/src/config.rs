//! The configuration of the service: its options with their defaults, and every key that fills them.
//!
//! Keys of what every service has stand beside the options that they fill, in `service-kit`; those of the rules in [`policy`].
//! Deliberately absent: reading files, the environment and flags (`service_kit::config` does), and secrets: a token has a file of its own.

mod plans;
mod policy;
mod presets;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use service_kit::{
    config::{ADDRESS, Findings, HTTP_URL, Key, PATH, Schema, Unit},
    group_commit::GroupCommitOptions,
    observability::ObservabilityOptions,
    runtime::THREADS_DEFAULT,
    server::ServerOptions,
    sqlite::SqliteOptions,
    telemetry::LogOptions,
    watch::WatchOptions,
};

use crate::{connections::RemoteOptions, domain::policy::Policy};

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address that `main` listens on. Default `127.0.0.1:50051`.
    pub listen: SocketAddr,
    /// Where figures and traces go. Default: figures are not shown, traces are not exported.
    pub observability: ObservabilityOptions,
    /// The callers' tokens; `None`, the default, where nobody shows credentials.
    pub tokens_file: Option<PathBuf>,
    /// The store's file.
    pub database: SqliteOptions,
    /// The bounds of the store's writer.
    pub group_commit: GroupCommitOptions,
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
    /// How many threads serve the wire; the store has threads of its own. Default 2.
    pub runtime_threads: usize,
    /// What `main` logs.
    pub log: LogOptions,
}

impl Config {
    /// The defaults, with the store in `database`.
    pub fn new(database: SqliteOptions) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_051)),
            tokens_file: None,
            observability: ObservabilityOptions::default(),
            database,
            group_commit: GroupCommitOptions::default(),
            connections: RemoteOptions {
                url: "http://127.0.0.1:50052".to_owned(),
                token_file: None,
                ask_wait_max: Duration::from_millis(50),
                verdict_wait_max: Duration::from_secs(3),
            },
            policy: Policy::default(),
            watches: WatchOptions::default(),
            server: ServerOptions::default(),
            worker_poll: Duration::from_millis(100),
            limiter_members_max: 100_000,
            runtime_threads: THREADS_DEFAULT,
            log: LogOptions::default(),
        }
    }

    /// Every key of the service.
    pub fn schema() -> Schema<Self> {
        let defaults = Self::new(SqliteOptions::new("data/invitations.db"));
        Schema::new("invitation-service", defaults)
            .section("Addresses", address_keys())
            .part("Limits and times", policy::keys(), |c: &mut Self| {
                &mut c.policy
            })
            .table(plans::table())
            .part("Store", SqliteOptions::keys(), |c: &mut Self| {
                &mut c.database
            })
            .part("Store", GroupCommitOptions::keys(), |c: &mut Self| {
                &mut c.group_commit
            })
            .part("Server", ServerOptions::keys(), |c: &mut Self| {
                &mut c.server
            })
            .part("Streams", WatchOptions::keys(), |c: &mut Self| {
                &mut c.watches
            })
            .section("Process", process_keys())
            .part("Process", LogOptions::keys(), |c: &mut Self| &mut c.log)
            .part("Process", ObservabilityOptions::keys(), |c: &mut Self| {
                &mut c.observability
            })
            .preset(presets::LINKEDIN)
            .preset(presets::OPEN)
            .check(check)
    }
}

fn address_keys() -> Vec<Key<Config>> {
    vec![
        Key::text(
            "listen",
            ADDRESS,
            |c: &mut Config| &mut c.listen,
            "the address to listen on; without a tokens file it must be of loopback",
        ),
        Key::optional(
            "tokens.file",
            PATH,
            |c: &mut Config| &mut c.tokens_file,
            "the callers' tokens and roles, read anew when it changes; without it nobody shows credentials",
        ),
        Key::text(
            "connection.url",
            HTTP_URL,
            |c: &mut Config| &mut c.connections.url,
            "where connection-service listens",
        ),
        Key::optional(
            "connection.token_file",
            PATH,
            |c: &mut Config| &mut c.connections.token_file,
            "a file with the token that is shown there, which has the role `peer`; read anew when it changes",
        ),
        Key::span(
            "connection.ask_wait_millis",
            Unit::Millis,
            0..=10_000,
            |c: &mut Config| &mut c.connections.ask_wait_max,
            "time that a send waits for what connection-service knows of the two; then the copy in the store speaks",
        ),
        Key::span(
            "connection.verdict_wait_millis",
            Unit::Millis,
            0..=60_000,
            |c: &mut Config| &mut c.connections.verdict_wait_max,
            "time that an acceptance waits for its connection; then it is answered as being under way",
        ),
    ]
}

fn process_keys() -> Vec<Key<Config>> {
    vec![
        Key::span(
            "worker.poll_millis",
            Unit::Millis,
            1..=60_000,
            |c: &mut Config| &mut c.worker_poll,
            "time between two looks of the worker for something to do",
        ),
        Key::count(
            "limiter.members_max",
            "members",
            0..=100_000_000,
            |c: &mut Config| &mut c.limiter_members_max,
            "members whose charges are kept in memory; those not seen for longest are read from the store again",
        ),
        Key::count(
            "runtime.threads",
            "threads",
            1..=256,
            |c: &mut Config| &mut c.runtime_threads,
            "threads that serve the wire; the store has threads of its own",
        ),
    ]
}

/// What does not fit together, or should be known.
fn check(config: &Config, findings: &mut Findings) {
    config.database.check(findings);
    config.observability.check(config.listen, findings);
    config.group_commit.check(findings);
    policy::check(&config.policy, findings);
    plans::check(&config.policy, findings);
    if config.server.drain < config.connections.verdict_wait_max {
        findings.risky(
            &["server.drain_seconds", "connection.verdict_wait_millis"],
            "an acceptance may wait longer for its connection than a shutdown waits for it: its caller is cut off without an answer, though \
             the acceptance is stored and will be completed after the start",
        );
    }
}

#[cfg(test)]
mod tests;

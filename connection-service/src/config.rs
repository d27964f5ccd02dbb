//! The configuration of the service: its options with their defaults, and every key that fills them.
//!
//! Keys of what every service has stand beside the options that they fill, in `service-kit`; those of the rules in [`policy`].
//! Deliberately absent: reading files, the environment and flags (`service_kit::config` does), and secrets: a token has a file of its own.

mod policy;
mod presets;
mod requests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use service_kit::config::{ADDRESS, Findings, Key, PATH, Schema, StoreAddress, Unit, store_key};
use service_kit::fields::RequestOptions;
use service_kit::group_commit::GroupCommitOptions;
use service_kit::observability::ObservabilityOptions;
use service_kit::postgres::PostgresOptions;
use service_kit::runtime::THREADS_DEFAULT;
use service_kit::server::ServerOptions;
use service_kit::sqlite::SqliteOptions;
use service_kit::telemetry::LogOptions;
use service_kit::watch::WatchOptions;

use crate::domain::policy::Policy;
use crate::graph::GraphOptions;
use crate::usecase::import_connections::ImportOptions;
use crate::usecase::put_members::CardOptions;

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address that `main` listens on. Default `127.0.0.1:50052`.
    pub listen: SocketAddr,
    /// Where figures and traces go. Default: figures are not shown, traces are not exported.
    pub observability: ObservabilityOptions,
    /// The callers' tokens; `None`, the default, where nobody shows credentials.
    pub tokens_file: Option<PathBuf>,
    /// Where the store is.
    pub store: StoreAddress,
    /// How a store in a file is used; its own path is not looked at.
    pub database: SqliteOptions,
    /// How a store on PostgreSQL is used.
    pub postgres: PostgresOptions,
    /// The bounds of the store's writer.
    pub group_commit: GroupCommitOptions,
    /// The numbers of the rules.
    pub policy: Policy,
    /// The bounds of the network in memory.
    pub graph: GraphOptions,
    /// How much one request may ask for.
    pub requests: RequestOptions,
    /// How many cards may come together.
    pub cards: CardOptions,
    /// The bounds of streams.
    pub watches: WatchOptions,
    /// The bounds of imports.
    pub imports: ImportOptions,
    /// What a peer may make the server hold, and how long it drains.
    pub server: ServerOptions,
    /// How often the worker looks for something to do. Default 100 ms.
    pub worker_poll: Duration,
    /// How many threads serve the wire; the store has threads of its own. Default [`THREADS_DEFAULT`].
    pub runtime_threads: usize,
    /// What `main` logs.
    pub log: LogOptions,
}

impl Config {
    /// The defaults, with the store in `database`.
    pub fn new(database: SqliteOptions) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 50_052)),
            tokens_file: None,
            observability: ObservabilityOptions::default(),
            store: StoreAddress::File(database.path.clone()),
            database,
            postgres: PostgresOptions::default(),
            group_commit: GroupCommitOptions::default(),
            policy: Policy::default(),
            graph: GraphOptions::default(),
            requests: RequestOptions::default(),
            cards: CardOptions::default(),
            watches: WatchOptions::default(),
            imports: ImportOptions::default(),
            server: ServerOptions::default(),
            worker_poll: Duration::from_millis(100),
            runtime_threads: THREADS_DEFAULT,
            log: LogOptions::default(),
        }
    }

    /// Every key of the service.
    pub fn schema() -> Schema<Self> {
        let defaults = Self::new(SqliteOptions::new("data/connections.db"));
        let listen = Key::text(
            "listen",
            ADDRESS,
            |c: &mut Self| &mut c.listen,
            "the address to listen on; without a tokens file it must be of loopback",
        );
        let tokens = Key::optional(
            "tokens.file",
            PATH,
            |c: &mut Self| &mut c.tokens_file,
            "the callers' tokens and roles, read anew when it changes; without it nobody shows credentials",
        );
        Schema::new("connection-service", defaults)
            .section("Addresses", vec![listen, tokens])
            .part("Limits and times", policy::keys(), |c: &mut Self| {
                &mut c.policy
            })
            .part("Requests", RequestOptions::keys(), |c: &mut Self| {
                &mut c.requests
            })
            .part("Requests", requests::keys(), |c: &mut Self| &mut c.cards)
            .part("Index", GraphOptions::keys(), |c: &mut Self| &mut c.graph)
            .section("Store", vec![store_key(|c: &mut Self| &mut c.store)])
            .part("Store", SqliteOptions::keys(), |c: &mut Self| {
                &mut c.database
            })
            .part("Store", PostgresOptions::keys(), |c: &mut Self| {
                &mut c.postgres
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
            .part("Imports", ImportOptions::keys(), |c: &mut Self| {
                &mut c.imports
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
    match &config.store {
        StoreAddress::File(_) => config.database.check(findings),
        StoreAddress::Postgres(url) => config.postgres.check(url, findings),
    }
    config.observability.check(config.listen, findings);
    config.group_commit.check(findings);
    config.server.check(findings);
    config
        .requests
        .check(config.group_commit.queue_commands_max, findings);
    config.imports.check(findings);
    config.graph.check(findings);
    requests::check(config, findings);
    policy::check(&config.policy, findings);
    if config.server.deadlines.default <= config.policy.acknowledgement_wait.to_std() {
        findings.risky(
            &["server.deadline_default_millis", "acknowledgement.wait_millis"],
            "while invitation-service is away, a removal, block or erasure whose caller sets no deadline ends with DEADLINE_EXCEEDED, though it \
             is stored",
        );
    }
    if config.server.drain < config.policy.acknowledgement_wait.to_std() {
        findings.risky(
            &["server.drain_seconds", "acknowledgement.wait_millis"],
            "a removal, block or erasure may wait longer for invitation-service than a shutdown waits for it: its caller is cut off without \
             an answer, though it is stored",
        );
    }
}

#[cfg(test)]
mod tests;

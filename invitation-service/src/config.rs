//! The configuration of the service: its options with their defaults, and every key that fills them.
//!
//! Keys of what every service has stand beside the options that they fill, in `service-kit`; those of the rules in [`policy`].
//! Deliberately absent: reading files, the environment and flags (`service_kit::config` does), and secrets: a token has a file of its own.

mod plans;
mod policy;
mod presets;
mod requests;
mod standing;

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use http::Uri;
use service_kit::{
    balance::{BalanceOptions, HTTP_HOSTS},
    config::{ADDRESS, Findings, Key, PATH, Schema, StoreAddress, Unit, store_key},
    fields::RequestOptions,
    group_commit::GroupCommitOptions,
    observability::ObservabilityOptions,
    postgres::PostgresOptions,
    runtime::THREADS_DEFAULT,
    server::ServerOptions,
    sqlite::SqliteOptions,
    telemetry::LogOptions,
    time::Span,
    watch::WatchOptions,
};

use crate::{
    connections::{AskOptions, PAIRS_OF_A_CALL, RemoteOptions},
    domain::policy::Policy,
    limiter::redis::RedisOptions,
    worker::WorkerOptions,
};

/// The configuration of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The address that `main` listens on. Default `127.0.0.1:50051`.
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
    /// connection-service.
    pub connections: RemoteOptions,
    /// How many facts of connection-service's feed are folded in one transaction, where nobody else waits. At least 1. Default 500.
    pub fold_facts_max: usize,
    /// The numbers of the rules.
    pub policy: Policy,
    /// How much one request may ask for.
    pub requests: RequestOptions,
    /// The bounds of streams.
    pub watches: WatchOptions,
    /// What a peer may make the server hold, and how long it drains.
    pub server: ServerOptions,
    /// How much the worker does, and how often.
    pub worker: WorkerOptions,
    /// How many members the limiter within the process knows. Default 100,000.
    pub limiter_members_max: u64,
    /// How long a limiter goes by what it knows of a member before the store is asked again. Default 24 hours.
    pub limiter_recheck: Span,
    /// The Redis that is the limiter, if any.
    pub redis: RedisOptions,
    /// How many threads serve the wire; the store has threads of its own. Default [`THREADS_DEFAULT`].
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
            store: StoreAddress::File(database.path.clone()),
            database,
            postgres: PostgresOptions::default(),
            group_commit: GroupCommitOptions::default(),
            connections: RemoteOptions {
                url: Uri::from_static("http://127.0.0.1:50052").into(),
                balance: BalanceOptions::default(),
                token_file: None,
                ask: AskOptions::default(),
                verdict_wait_max: Duration::from_secs(3),
            },
            fold_facts_max: 500,
            policy: Policy::default(),
            requests: RequestOptions::default(),
            watches: WatchOptions::default(),
            server: ServerOptions::default(),
            worker: WorkerOptions::default(),
            limiter_members_max: 100_000,
            limiter_recheck: Span::hours(24),
            redis: RedisOptions::default(),
            runtime_threads: THREADS_DEFAULT,
            log: LogOptions::default(),
        }
    }

    /// Every key of the service.
    pub fn schema() -> Schema<Self> {
        let defaults = Self::new(SqliteOptions::new("data/invitations.db"));
        Schema::new("invitation-service", defaults)
            .section("Addresses", address_keys())
            .section("Asking connection-service", asking_keys())
            .part("Limits and times", policy::keys(), |c: &mut Self| {
                &mut c.policy
            })
            .part("Standing", standing::keys(), |c: &mut Self| {
                &mut c.policy.standing
            })
            .part("Requests", RequestOptions::keys(), |c: &mut Self| {
                &mut c.requests
            })
            .table(plans::table())
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
            .section("Weekly cap in front of the store", limiter_keys())
            .part(
                "Weekly cap in front of the store",
                RedisOptions::keys(),
                |c: &mut Self| &mut c.redis,
            )
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
            HTTP_HOSTS,
            |c: &mut Config| &mut c.connections.url,
            "where connection-service listens. Calls are spread over all addresses of all hosts whose health service says that they serve",
        ),
        Key::span(
            "connection.lookup_millis",
            Unit::Millis,
            10..=3_600_000,
            |c: &mut Config| &mut c.connections.balance.lookup_every,
            "time after which the names of `connection.url` are looked up again, so that replicas that have come are called; not needed for addresses",
        ),
        Key::optional(
            "connection.token_file",
            PATH,
            |c: &mut Config| &mut c.connections.token_file,
            "a file with the token that is shown there, which has the role `peer`; read anew when it changes",
        ),
    ]
}

fn asking_keys() -> Vec<Key<Config>> {
    vec![
        Key::span(
            "connection.ask_wait_millis",
            Unit::Millis,
            0..=10_000,
            |c: &mut Config| &mut c.connections.ask.wait_max,
            "time that a send waits for what connection-service knows of the two; then the copy in the store speaks",
        ),
        Key::count(
            "connection.ask_pairs_max",
            "pairs",
            1..=PAIRS_OF_A_CALL,
            |c: &mut Config| &mut c.connections.ask.pairs_max,
            "pairs that one call asks connection-service about",
        ),
        Key::count(
            "connection.ask_calls_max",
            "calls",
            1..=1_000,
            |c: &mut Config| &mut c.connections.ask.calls_max,
            "such calls under way at a time; meanwhile sends gather for the next",
        ),
        Key::count(
            "connection.ask_waiting_max",
            "sends",
            1..=1_000_000,
            |c: &mut Config| &mut c.connections.ask.waiting_max,
            "sends that may wait for such a call; for one more the copy in the store speaks at once",
        ),
        Key::span(
            "connection.verdict_wait_millis",
            Unit::Millis,
            0..=60_000,
            |c: &mut Config| &mut c.connections.verdict_wait_max,
            "time that an acceptance waits for its connection; then it is answered as being under way",
        ),
        Key::count(
            "connection.fold_facts_max",
            "facts",
            1..=10_000,
            |c: &mut Config| &mut c.fold_facts_max,
            "facts of connection-service's feed that one transaction stores; beside other commands never more than these are, but 16",
        ),
    ]
}

fn limiter_keys() -> Vec<Key<Config>> {
    vec![
        Key::count(
            "limiter.members_max",
            "members",
            0..=100_000_000,
            |c: &mut Config| &mut c.limiter_members_max,
            "members whose charges are kept in memory where there is no Redis; those not seen for longest are read from the store again",
        ),
        Key::span(
            "limiter.recheck_hours",
            Unit::Hours,
            1..=168,
            |c: &mut Config| &mut c.limiter_recheck,
            "time for which what is known of a member counts before the store is asked again",
        ),
    ]
}

fn process_keys() -> Vec<Key<Config>> {
    vec![
        Key::span(
            "worker.poll_millis",
            Unit::Millis,
            1..=60_000,
            |c: &mut Config| &mut c.worker.poll,
            "time between two looks of the worker for something to do",
        ),
        Key::count(
            "worker.pairs_max",
            "pairs",
            1..=10_000,
            |c: &mut Config| &mut c.worker.pairs_max,
            "pairs with something due that one look takes up; where there are more, the next look comes at once",
        ),
        Key::count(
            "worker.members_max",
            "members",
            1..=10_000,
            |c: &mut Config| &mut c.worker.members_max,
            "members with invitations to withdraw for them that one look takes up",
        ),
        Key::count(
            "worker.acceptances_max",
            "acceptances",
            1..=10_000,
            |c: &mut Config| &mut c.worker.acceptances_max,
            "pairs reviewed at a time, and so acceptances that the worker sees through at a time",
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
    config.redis.check(findings);
    requests::check(config, findings);
    policy::check(&config.policy, findings);
    plans::check(&config.policy, findings);
    standing::check(&config.policy, findings);
    if config.server.deadlines.default <= config.connections.verdict_wait_max {
        findings.risky(
            &["server.deadline_default_millis", "connection.verdict_wait_millis"],
            "an acceptance whose caller sets no deadline ends with DEADLINE_EXCEEDED before it could be answered as being under way",
        );
    }
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

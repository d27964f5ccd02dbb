//! connection-service: who is connected to whom, who has blocked whom, and the feed of these facts that invitation-service follows.
//!
//! The way of a request: [`grpc`] (the contract's messages to values) → [`usecase`] (one file for each method) → [`store`] (load the
//! pair, decide, write) → [`domain`] (the rules, pure) and back. Nothing points the other way. [`worker`] does what nobody waits
//! for, [`graph`] answers from memory about the network around a member, [`config`] has every key, [`command`] what operators do with the
//! program, [`crash`] the moments at which tests let the process die.
//!
//! Deliberately absent: invitations. An acceptance arrives here as a request for a connection, and is decided once.

pub mod command;
pub mod config;
pub mod crash;
pub mod domain;
pub mod graph;
pub mod grpc;
pub mod store;
pub mod usecase;
pub mod worker;

use std::sync::Arc;

use service_kit::auth::{Callers, FileError};
use service_kit::clock::Clock;
use service_kit::config::StoreAddress;
use service_kit::environment::{Environment, Executor, SystemRandom};
use service_kit::observability::{Observability, ObservabilityError};
use service_kit::server::{End, HealthHandle, Listener, ServeError, Server, Serving};
use service_kit::sqlite::{OpenError, SqliteOptions};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

pub use config::Config;
pub use domain::policy::Policy;

use graph::Memory;
use store::Store;
use store::postgres::{self, PostgresStore};
use store::sqlite::SqliteStore;
use usecase::Context;

/// By what name the service shows itself, and in which version.
const COMPONENT: &str = "connection-service";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Why the service does not run, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[from] OpenError),
    /// The store on PostgreSQL cannot be opened.
    #[error("the store cannot be opened")]
    Postgres(#[from] postgres::OpenError),
    /// The process cannot show itself as it is asked to.
    #[error("the process cannot show itself as it is asked to")]
    Observability(#[from] ObservabilityError),
    /// A file with tokens is of no use.
    #[error(transparent)]
    Tokens(#[from] FileError),
    /// Nothing can be served.
    #[error("nothing can be served")]
    Serve(#[from] ServeError),
    /// The store's writer has ended by itself.
    #[error("the store has ended")]
    StoreEnded,
    /// A part of the service panicked.
    #[error("a part of the service panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

/// What the service is made of, beside its own code.
pub struct Parts<L> {
    /// Where its callers connect.
    pub listener: L,
    /// Where connections are kept.
    pub store: Arc<dyn Store>,
    /// Where work is done that may take long.
    pub executor: Executor,
}

/// Serves on `listener` until `shutdown` is cancelled; then answers what is under way, ends streams, and closes the store. When it
/// returns, the store's file is free for another process. Health is served at once, everything else when the store is open.
pub async fn run(
    config: Config,
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let mut seen =
        Observability::start(COMPONENT, VERSION, grpc::API, &config.observability).await?;
    let serving = begin(&config, listener, &seen, &shutdown)?;
    let open = open(config.clone(), clock, Handle::current());
    let opened = serving.while_opening(open).await;
    let (serving, store) = opened.map_err(RunError::Panicked)??;
    let store = store.register(&mut seen);
    work(config, serving, store, Executor::Threads, seen).await
}

/// A store that was opened, of one engine or the other.
enum Opened {
    Sqlite(SqliteStore),
    Postgres(Arc<PostgresStore>),
}

impl Opened {
    /// Hands in its figures.
    fn register(self, seen: &mut Observability) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => {
                store.register(seen);
                Arc::new(store)
            }
            Self::Postgres(store) => {
                store.register(seen);
                store
            }
        }
    }
}

/// Opens the store that is configured, on a thread that may block. One on PostgreSQL reads on `runtime`, by the clock of its server.
fn open(
    config: Config,
    clock: Arc<dyn Clock>,
    runtime: Handle,
) -> impl FnOnce() -> Result<Opened, RunError> + Send + 'static {
    move || match config.store {
        StoreAddress::File(path) => {
            let options = SqliteOptions {
                path,
                ..config.database
            };
            let environment = Environment::system(clock);
            let store =
                SqliteStore::open(options, config.group_commit, config.policy, environment)?;
            Ok(Opened::Sqlite(store))
        }
        StoreAddress::Postgres(url) => {
            let store = runtime.block_on(PostgresStore::open(
                *url,
                &config.postgres,
                config.group_commit,
                config.policy,
                postgres::TimeSource::Database,
                Arc::new(SystemRandom),
            ))?;
            Ok(Opened::Postgres(Arc::new(store)))
        }
    }
}

/// [`run`] on given parts, showing nothing of itself: of `config`, where the service listens, what it keeps its connections in and what
/// it shows are not looked at.
pub async fn run_with<L: Listener>(
    config: Config,
    parts: Parts<L>,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let seen = Observability::hidden(COMPONENT, VERSION, grpc::API)?;
    let Parts {
        listener,
        store,
        executor,
    } = parts;
    let serving = begin(&config, listener, &seen, &shutdown)?;
    work(config, serving, store, executor, seen).await
}

fn begin<L: Listener>(
    config: &Config,
    listener: L,
    seen: &Observability,
    shutdown: &CancellationToken,
) -> Result<Serving, RunError> {
    let callers = Callers::load(config.tokens_file.as_deref())?;
    let (requests, health) = (seen.requests.clone(), HealthHandle::new());
    let server = Server::new(
        listener,
        grpc::API,
        callers,
        requests,
        seen.connections.clone(),
        health,
        config.server,
    )?;
    Ok(server.start(shutdown))
}

async fn work(
    config: Config,
    serving: Serving,
    store: Arc<dyn Store>,
    executor: Executor,
    mut seen: Observability,
) -> Result<(), RunError> {
    let work = seen.work.clone();
    let (stop, health) = (serving.stop(), serving.health());
    let memory = Memory::new(config.graph, executor);
    memory.register(seen.metrics.registry(), store.hub().head());
    let context = Context::new(
        store.clone(),
        memory.clone(),
        config.policy,
        config.watches,
        config.imports,
        executor,
        stop.clone(),
    );
    context.watches().register(seen.metrics.registry());
    // Goes on until the store is closed, so that the last that happens is seen too.
    let unseen = CancellationToken::new();
    let showing = tokio::spawn(seen.run(unseen.clone()));
    let working = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move { worker::run(&*store, config.worker_poll, &stop, &work).await }
    });
    let following = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move { graph::follower::run(store, memory, &stop).await }
    });
    let telling = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            let probe = || store.probe();
            store.health().tell(&health, probe, &stop).await;
        }
    });
    serving.open(grpc::routes(
        context,
        config.requests,
        config.cards,
        &config.server,
    ));
    let ended = serving.while_open(store.closed()).await;
    let (worked, followed, told) = tokio::join!(working, following, telling);
    store.close().await;
    unseen.cancel();
    let shown = showing.await;
    let ended = ended.map_err(RunError::Panicked)?;
    worked.map_err(RunError::Panicked)?;
    followed.map_err(RunError::Panicked)?;
    told.map_err(RunError::Panicked)?;
    shown.map_err(RunError::Panicked)?;
    match ended {
        End::Told => Ok(()),
        End::StoreEnded => Err(RunError::StoreEnded),
    }
}

//! invitation-service: who invites whom, and what becomes of it, until connection-service connects the two.
//!
//! The way of a request: [`grpc`] (the contract's messages to values) → [`usecase`] (gather, hand to the store, act on the outcome) →
//! [`store`] (load, decide, write) → [`domain`] (the rules, pure) and back. Nothing points the other way. Beside it: [`limiter`] (the weekly
//! cap in front of the store), [`connections`] (connection-service and the feed of its facts), [`worker`] (what nobody waits for),
//! [`config`] (every key), [`crash`] (where tests let it die).
//!
//! Deliberately absent: connections and blocks. They are connection-service's; here is a copy of what decisions need.

pub mod config;
pub mod connections;
pub mod crash;
pub mod domain;
pub mod grpc;
pub mod limiter;
pub mod store;
pub mod usecase;
pub mod worker;

use std::sync::Arc;

use moka::sync::Cache;
use service_kit::{
    auth::{Bearer, Callers, FileError, TokenFile},
    clock::Clock,
    config::StoreAddress,
    environment::{Environment, SystemRandom},
    observability::{Observability, ObservabilityError},
    server::{End, HealthHandle, Listener, ServeError, Server, Serving},
    sqlite::{OpenError, SqliteOptions},
    watch::Watches,
};
use tokio::{net::TcpListener, runtime::Handle, sync::watch};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

pub use config::Config;
pub use domain::policy::Policy;

use connections::{Connections, RemoteConnections, follow::Follower};
use limiter::{
    Limiter, LimiterRules, LocalLimiter,
    redis::{RedisLimiter, RedisMetrics, RedisSetupError, TimeSource},
};
use store::{
    Store,
    postgres::{self, PostgresStore},
    sqlite::SqliteStore,
};
use usecase::{Context, UsecaseMetrics, WITHOUT_PLACE_MAX, act};

/// By what name the service shows itself, and in which version.
const COMPONENT: &str = "invitation-service";
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
    /// Redis cannot be used as it is configured.
    #[error(transparent)]
    Redis(#[from] RedisSetupError),
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
    /// Where invitations are kept.
    pub store: Arc<dyn Store>,
    /// The weekly cap in front of the store.
    pub limiter: Arc<dyn Limiter>,
    /// connection-service, to be asked.
    pub connections: Arc<dyn Connections>,
    /// The way to connection-service, to follow its feed.
    pub channel: Channel,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl<L> Parts<L> {
    fn without_listener(self) -> (L, Parts<()>) {
        let parts = Parts {
            listener: (),
            store: self.store,
            limiter: self.limiter,
            connections: self.connections,
            channel: self.channel,
            clock: self.clock,
        };
        (self.listener, parts)
    }
}

/// Serves on `listener` until `shutdown` is cancelled; then answers what is under way, ends streams, and closes the store. When it returns,
/// the store's file is free for another process. Health is served at once, everything else when the store is open.
pub async fn run(
    config: Config,
    listener: TcpListener,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let token = config.connections.token_file.as_deref();
    let token = token.map(TokenFile::open).transpose()?;
    let mut seen =
        Observability::start(COMPONENT, VERSION, grpc::API, &config.observability).await?;
    let serving = begin(&config, listener, &seen, &shutdown)?;
    let open = open(config.clone(), clock.clone(), Handle::current());
    let opened = serving.while_opening(open).await;
    let (serving, store) = opened.map_err(RunError::Panicked)??;
    let channel = connections::channel(&config.connections);
    let tracer = seen.tracer.clone();
    let bearer = Bearer::new(token.clone());
    let store = store.register(&mut seen);
    let limiter = limiter(&config, store.clone(), &mut seen)?;
    let remote =
        RemoteConnections::traced(channel.clone(), &config.connections, tracer, bearer.clone());
    let parts = Parts {
        listener: (),
        store,
        limiter,
        connections: Arc::new(remote),
        channel,
        clock,
    };
    let stop = serving.stop();
    let renewing = async {
        if let Some(token) = token {
            stop.run_until_cancelled(token.follow()).await;
        }
    };
    let working = work(config, serving, parts, bearer, seen);
    let (worked, ()) = tokio::join!(working, renewing);
    worked
}

/// A store that was opened, of one engine or the other.
enum Opened {
    Sqlite(SqliteStore),
    Postgres(PostgresStore),
}

impl Opened {
    /// Hands in its figures.
    fn register(self, seen: &mut Observability) -> Arc<dyn Store> {
        match self {
            Self::Sqlite(store) => {
                let store = Arc::new(store);
                store.register(seen);
                store
            }
            Self::Postgres(store) => {
                let store = Arc::new(store);
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
            Ok(Opened::Postgres(store))
        }
    }
}

/// The limiter that is configured; its figures are there in either case.
fn limiter(
    config: &Config,
    store: Arc<dyn Store>,
    seen: &mut Observability,
) -> Result<Arc<dyn Limiter>, RunError> {
    let metrics = RedisMetrics::default();
    metrics.register(seen.metrics.registry());
    let rules = LimiterRules {
        weekly_window: config.policy.weekly_window,
        recheck_after: config.limiter_recheck,
    };
    let options = &config.redis;
    let Some(url) = options.url.clone() else {
        tracing::info!("what members send in the week is counted within this process");
        return Ok(Arc::new(LocalLimiter::new(
            rules,
            config.limiter_members_max,
        )));
    };
    tracing::info!(redis = %url, "what members send in the week is counted in Redis");
    let (incarnation, time) = (Arc::new(move || store.epoch()), TimeSource::Redis);
    let limiter = RedisLimiter::start(url, options, incarnation, rules, time, metrics)?;
    Ok(Arc::new(limiter))
}

/// [`run`] on given parts, showing nothing of itself: of `config`, where the service listens, what it keeps its invitations in, how it
/// reaches connection-service and what it shows are not looked at.
pub async fn run_with<L: Listener>(
    config: Config,
    parts: Parts<L>,
    shutdown: CancellationToken,
) -> Result<(), RunError> {
    let seen = Observability::hidden(COMPONENT, VERSION, grpc::API)?;
    let (listener, parts) = parts.without_listener();
    let serving = begin(&config, listener, &seen, &shutdown)?;
    work(config, serving, parts, Bearer::default(), seen).await
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
    parts: Parts<()>,
    bearer: Bearer,
    mut seen: Observability,
) -> Result<(), RunError> {
    let Parts {
        listener: (),
        store,
        limiter,
        connections,
        channel,
        clock,
    } = parts;
    let (stop, health) = (serving.stop(), serving.health());
    let (leads, leading) = watch::channel(!store.is_shared());
    let (follower, followed) = Follower::new(
        store.clone(),
        limiter.clone(),
        channel,
        bearer,
        config.fold_facts_max,
        leads,
    );
    let tracer = seen.tracer.clone();
    let metrics = UsecaseMetrics::new(seen.work.clone());
    metrics.register(seen.metrics.registry());
    follower.register(seen.metrics.registry());
    let context = Arc::new(Context {
        store: store.clone(),
        connections,
        followed,
        limiter,
        clock,
        tracer,
        metrics,
        watches: Watches::new(config.watches, stop.clone()),
        without_place: Cache::new(WITHOUT_PLACE_MAX),
        policy: config.policy,
        batches: config.requests.batches,
    });
    context.watches.register(seen.metrics.registry());
    act::warn_of_unknown_plans(&context).await;
    let following = tokio::spawn(follower.run(stop.clone()));
    let working = tokio::spawn(worker::run(
        context.clone(),
        config.worker,
        leading,
        stop.clone(),
    ));
    // Goes on until the store is closed, so that the last that happens is seen too.
    let unseen = CancellationToken::new();
    let showing = tokio::spawn(seen.run(unseen.clone()));
    let telling = tokio::spawn({
        let (store, stop) = (store.clone(), stop.clone());
        async move {
            let probe = || store.probe();
            store.health().tell(&health, probe, &stop).await;
        }
    });
    serving.open(grpc::routes(context, config.requests, &config.server));
    let ended = serving.while_open(store.closed()).await;
    let (followed, worked, told) = tokio::join!(following, working, telling);
    store.close().await;
    unseen.cancel();
    let shown = showing.await;
    let ended = ended.map_err(RunError::Panicked)?;
    followed.map_err(RunError::Panicked)?;
    worked.map_err(RunError::Panicked)?;
    told.map_err(RunError::Panicked)?;
    shown.map_err(RunError::Panicked)?;
    match ended {
        End::Told => Ok(()),
        End::StoreEnded => Err(RunError::StoreEnded),
    }
}

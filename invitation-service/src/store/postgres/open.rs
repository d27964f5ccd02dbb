//! Opening the store: bringing the tables to what the program expects, beginning an epoch, starting the writer.

use std::{
    io,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use service_kit::{
    environment::{Executor, Random},
    feed::Hub,
    group_commit::{GroupCommit, GroupCommitOptions},
    metrics::store::StoreMetrics,
    postgres::{
        Connector, Failure, History, MigrateError, PostgresOptions, PostgresReaders, PostgresUrl,
        SetupError, migrate,
    },
    store_health::StoreHealth,
    time::Time,
};
use tokio_util::sync::CancellationToken;

use super::{
    PostgresStore,
    clock::{StoreClock, TimeSource},
    engine::{HEAD, MIGRATIONS, PostgresEngine, Shared, read_head},
    watch,
};
use crate::{domain::policy::Policy, store::standing_metrics::StandingMetrics};

/// By which name the server's list of sessions shows the store's.
const COMPONENT: &str = "invitation-service";
/// By how much longer an answer is waited for than the server may work at it.
const ANSWER_WAIT_MORE: Duration = Duration::from_secs(1);

/// Why a store on PostgreSQL could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be used as it is configured.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Its tables are not what the program expects.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// It could not be reached, read or written.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The system gives no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

impl PostgresStore {
    /// Opens the store at `url`, brings its tables to what the program expects, and begins an epoch, which all processes on it share from
    /// then on. To be called within a runtime, on which it then reads.
    pub async fn open(
        url: PostgresUrl,
        options: &PostgresOptions,
        group_commit: GroupCommitOptions,
        policy: Policy,
        time: TimeSource,
        random: Arc<dyn Random>,
    ) -> Result<Self, OpenError> {
        let connector = Connector::new(url, options, COMPONENT)?;
        let (client, _) = connector.connect().await?;
        migrate(&client, MIGRATIONS).await?;
        let opened = History::begin(&client, options.lanes, &*random).await?;
        let rows = HEAD.query(&client, &[]).await?;
        let row = rows
            .first()
            .ok_or_else(|| Failure::corrupt("the store has lost its first row"))?;
        let (_, head, database): (_, _, Time) = read_head(row)?;
        let hub = Hub::new();
        hub.publish(head.position, []);
        let shared = Shared {
            history: opened.history,
            secret: opened.secret,
            lanes: opened.lanes,
            clock: StoreClock::new(time, database),
            hub,
            answer_wait: options.statement_timeout.saturating_add(ANSWER_WAIT_MORE),
            published: Arc::new(AtomicU64::new(head.position)),
            random,
        };
        let (metrics, standings) = (StoreMetrics::default(), StandingMetrics::new());
        let readers = PostgresReaders::new(connector.clone(), options, metrics.readers.clone())?;
        let engine = PostgresEngine::new(connector, options, shared.clone(), standings.clone());
        let writer = GroupCommit::start(
            engine.map_err(OpenError::Thread)?,
            "invitation-writer",
            group_commit,
            Executor::Threads,
            metrics.writer.clone(),
        )
        .map_err(OpenError::Thread)?;
        let hearing = CancellationToken::new();
        tokio::spawn(watch::hear(
            shared.clone(),
            readers.clone(),
            options.poll,
            hearing.clone(),
        ));
        Ok(Self {
            writer,
            readers,
            shared,
            policy: Arc::new(policy),
            pace: Arc::default(),
            metrics,
            standings,
            health: StoreHealth::new(),
            _hearing: hearing.clone().drop_guard(),
            hearing,
        })
    }
}

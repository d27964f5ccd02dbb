//! Opening a store: bringing the tables to what the program expects, beginning an epoch, starting the writer.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::copy::is_unfinished;
use super::hear::hear;
use super::migrate::lock;
use super::transaction::transaction;
use super::{
    BatchEngine, BatchRows, Client, Connector, Failure, History, Locking, MigrateError, Migration,
    PostgresOptions, PostgresReaders, PostgresUrl, SetupError, Shared, StoreClock, StoreCore,
    TimeSource, migrate,
};
use crate::environment::{Executor, Random};
use crate::feed::Hub;
use crate::group_commit::{GroupCommit, GroupCommitOptions};
use crate::metrics::store::StoreMetrics;
use crate::store_health::StoreHealth;

/// By how much longer an answer is waited for than the server may work at it.
const ANSWER_WAIT_MORE: Duration = Duration::from_secs(1);

/// How a store is opened.
pub struct StoreSetup<'a> {
    /// By which name the server's list of sessions shows the store's.
    pub component: &'static str,
    /// The name of the writer's thread.
    pub writer: &'static str,
    /// Where the database is.
    pub url: PostgresUrl,
    /// How it is used.
    pub options: &'a PostgresOptions,
    /// The bounds of the writer.
    pub group_commit: GroupCommitOptions,
    /// The tables.
    pub migrations: &'static [Migration],
    /// Whose clock counts.
    pub time: TimeSource,
    /// Where epochs, ids and the spread of waits come from.
    pub random: Arc<dyn Random>,
}

/// Why a store on PostgreSQL could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be used as it is configured.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Its tables are not what the program expects.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// It is not a store yet.
    #[error(
        "an embedded store was copied into the database, and not to its end: run copy-store again"
    )]
    Unfinished,
    /// It could not be reached, read or written.
    #[error(transparent)]
    Failed(#[from] Failure),
    /// The system gives no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

impl<B: BatchRows> StoreCore<B> {
    /// Opens a store, brings its tables to what the program expects, and begins an epoch, which all processes on it share from then on.
    /// `batch` makes the rows that the writer works on; `noticed` is told of every end of the history that is seen here, in no particular order. To be called within a runtime, on which it then reads.
    pub async fn open(
        setup: StoreSetup<'_>,
        batch: impl FnOnce(&Shared<B>) -> B,
        noticed: impl Fn(&B::Head) + Send + Sync + 'static,
    ) -> Result<Self, OpenError> {
        let options = setup.options;
        let connector = Connector::new(setup.url, options, setup.component)?;
        let (client, _) = connector.connect().await?;
        migrate(&client, setup.migrations).await?;
        make_store(&client, options.lanes, &*setup.random).await?;
        let opened = History::begin(&client, &*setup.random).await?;
        let rows = B::head_statement(Locking::Unlocked)
            .query(&client, &[])
            .await?;
        let row = rows
            .first()
            .ok_or_else(|| Failure::corrupt("the store has lost its first row"))?;
        let (head, all, database) = B::read_head(row)?;
        noticed(&all);
        let hub = Hub::new();
        hub.publish(head.position, []);
        let shared = Shared {
            history: opened.history,
            secret: opened.secret,
            lanes: opened.lanes,
            clock: StoreClock::new(setup.time, database),
            hub,
            answer_wait: options.statement_timeout.saturating_add(ANSWER_WAIT_MORE),
            published: Arc::new(AtomicU64::new(head.position)),
            random: setup.random,
            noticed: Arc::new(noticed),
            rows: std::marker::PhantomData,
        };
        let metrics = StoreMetrics::default();
        let readers = PostgresReaders::new(connector.clone(), options, metrics.readers.clone())?;
        let batch = batch(&shared);
        let health = StoreHealth::new();
        let engine = BatchEngine::new(connector, options, shared.clone(), batch, health.clone());
        let writer = GroupCommit::start(
            engine.map_err(OpenError::Thread)?,
            setup.writer,
            setup.group_commit,
            Executor::Threads,
            metrics.writer.clone(),
        )
        .map_err(OpenError::Thread)?;
        let hearing = CancellationToken::new();
        tokio::spawn(hear(
            shared.clone(),
            readers.clone(),
            health.clone(),
            options.poll,
            hearing.clone(),
        ));
        Ok(Self {
            writer,
            readers,
            shared,
            metrics,
            health,
            _hearing: hearing.clone().drop_guard(),
            hearing,
        })
    }
}

/// Makes the end of the history if there is none. Not where a copy has not ended: whoever begins one looks for that end under the same lock.
async fn make_store(client: &Client, lanes: u16, random: &dyn Random) -> Result<(), OpenError> {
    transaction(client, async || {
        lock(client).await?;
        if is_unfinished(client).await? {
            return Err(OpenError::Unfinished);
        }
        Ok(History::make(client, lanes, random).await?)
    })
    .await
}

//! The store on PostgreSQL, which several processes may use at once: one writer in each that commits in groups, readers with snapshots.
//!
//! Deliberately absent: SQL (in the files of its modules) and decisions.

mod acts;
mod batch;
mod batch_rows;
mod cache;
mod clock;
mod columns;
mod due;
mod engine;
mod export;
mod flush;
mod forget;
mod load;
mod metrics;
mod open;
mod ranges;
mod reads;
mod store;
mod tables;
mod watch;

use std::sync::Arc;

use service_kit::{
    error::StoreError,
    group_commit::GroupCommit,
    id::IdSource,
    metrics::store::StoreMetrics,
    postgres::{Client, Failure, History, PostgresReaders, Statement},
    store_health::StoreHealth,
    time::{Span, Time},
    trace,
};
use tokio_util::sync::{CancellationToken, DropGuard};

use self::{
    batch::Batch,
    engine::{PostgresEngine, Shared},
    load::{Locking, load},
    reads::Snapshot,
};
use super::{
    command::facts::{FeedFact, Pace},
    folding::Folding,
    rows::{FeedCursor, Rows},
    standing_metrics::StandingMetrics,
};
use crate::domain::policy::Policy;

pub use clock::TimeSource;
pub use engine::MIGRATIONS;
pub use open::OpenError;

/// In place of a process that leads, before one has.
const NOBODY: i64 = 0;

/// How often a preview looks for rows that it asks for.
const PREVIEW_PASSES_MAX: usize = 64;

/// What comes of `$read` in a snapshot of its own.
macro_rules! read {
    ($store:ident, |$snapshot:ident| $read:expr) => {{
        let read = || {
            Box::pin(async {
                let $snapshot = $store.snapshot().await?;
                let read = $read;
                $snapshot.end(read).await
            })
        };
        $store.read(read).await
    }};
}
use read;

/// The store on PostgreSQL.
pub struct PostgresStore {
    writer: GroupCommit<PostgresEngine>,
    readers: PostgresReaders,
    shared: Shared,
    policy: Arc<Policy>,
    pace: Arc<Pace>,
    metrics: StoreMetrics,
    standings: StandingMetrics,
    health: StoreHealth,
    hearing: CancellationToken,
    _hearing: DropGuard,
}

/// Every statement that is sent, for a server to check.
pub fn statements() -> Vec<Statement> {
    [
        History::statements(),
        engine::statements(),
        load::statements(),
        ranges::statements(),
        due::statements(),
        acts::statements(),
        flush::statements(),
        forget::statements(),
        reads::statements(),
        export::statements(),
        watch::statements(),
        tables::statements(),
    ]
    .concat()
}

impl PostgresStore {
    async fn write<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut Batch, &Policy) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (policy, trace) = (self.policy.clone(), trace::current());
        let done = self.writer.submit(move |batch| {
            batch.serve(trace);
            command(batch, &policy)
        });
        self.health.note(done.await)
    }

    /// Reads, but not for ever; once more where the connection turned out to be of no more use.
    async fn read<T, R>(&self, read: impl Fn() -> R) -> Result<T, StoreError>
    where
        R: Future<Output = Result<T, Failure>>,
    {
        let mut ended = self.shared.in_time(read()).await;
        if let Err(Failure::Away(_)) = ended {
            self.readers.forget_idle();
            ended = self.shared.in_time(read()).await;
        }
        let ended = self.readers.note(ended.map_err(StoreError::from));
        self.health.note(ended)
    }

    async fn snapshot(&self) -> Result<Snapshot, Failure> {
        let connection = self.readers.get().await?;
        Snapshot::begin(connection, self.policy.clone(), &self.shared).await
    }

    /// What a command that only the leading process may do comes to.
    async fn write_leading<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut Batch, &Policy) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let history = self.shared.history.clone();
        self.write(move |batch, policy| {
            still_leads(batch, &history)?;
            command(batch, policy)
        })
        .await
    }

    /// Folds all of `facts`, in as many commits as it takes.
    async fn fold_by_turns(
        &self,
        facts: Vec<FeedFact>,
        until: FeedCursor,
    ) -> Result<(), StoreError> {
        let mut folding = Folding::new(facts, until, self.policy.clone(), self.pace.clone());
        loop {
            let (mut next, history) = (folding.next(), self.shared.history.clone());
            let done = self.writer.submit_last(move |batch, others| {
                batch.serve(None);
                still_leads(batch, &history)?;
                next(batch, others)
            });
            if folding.folded(self.health.note(done.await)?) {
                return Ok(());
            }
        }
    }

    async fn ask_to_lead(&self, span: Span) -> Result<bool, Failure> {
        let connection = self.readers.get().await?;
        let client = connection.client()?;
        let now = self.now(client).await?;
        let own = self.shared.history.own();
        let until = now.plus(span).millis();
        let led = engine::LEAD
            .query(client, &[&own, &now.millis(), &until])
            .await?;
        connection.give_back();
        Ok(!led.is_empty())
    }

    /// The store's time.
    async fn now(&self, client: &Client) -> Result<Time, Failure> {
        let known = self.shared.history.known();
        let rows = engine::HEAD.query(client, &[]).await?;
        let (head, clock) = self.shared.saw(client, known, &rows).await?;
        Ok(clock.max(head.last_time))
    }

    async fn forget(&self) -> Result<bool, Failure> {
        let connection = self.readers.get().await?;
        let client = connection.client()?;
        let now = self.now(client).await?;
        let more = forget::forget_old(client, &self.policy, now, self.shared.lanes).await?;
        connection.give_back();
        Ok(more)
    }

    /// What a command would come to, from one committed state; nothing of it is written.
    async fn preview<T: Send>(
        &self,
        command: impl Fn(&mut dyn Rows, &Policy) -> Result<T, StoreError> + Send + Sync,
    ) -> Result<T, StoreError> {
        let preview = || {
            Box::pin(async {
                let snapshot = self.snapshot().await?;
                // An id made here names nothing.
                let ids = IdSource::new(|bytes| bytes.fill(0));
                let mut batch = Batch::new(self.shared.secret.clone(), ids);
                batch.found = snapshot.head;
                for _ in 0..PREVIEW_PASSES_MAX {
                    batch.restart(snapshot.now);
                    let came = command(&mut batch, &snapshot.policy);
                    if !batch.wants() {
                        return snapshot.end(came.map_err(Failure::from)).await;
                    }
                    let (client, lanes) = (snapshot.client()?, snapshot.lanes);
                    load(client, &mut batch, lanes, Locking::Unlocked, None, None).await?;
                }
                Err(Failure::internal("a preview asks for ever more rows"))
            })
        };
        self.read(preview).await
    }
}

/// Looked at under the lock of the row that says who leads.
fn still_leads(batch: &Batch, history: &History) -> Result<(), StoreError> {
    if batch.found.leader != NOBODY && batch.found.leader != history.own() {
        return Err(StoreError::unavailable("another process leads"));
    }
    Ok(())
}

//! What every store on PostgreSQL is made of: one writer that commits in groups, readers with snapshots, hearing of other processes.
//!
//! Deliberately absent: opening it (`open.rs`), and what is written and read.

use prometheus_client::registry::Registry;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::attempt::{PASSES_MAX, too_many_passes};
use super::{
    BatchEngine, BatchRows, Begun, Client, Failure, Locking, PostgresReaders, ReadSnapshot, Shared,
};
use crate::error::StoreError;
use crate::group_commit::GroupCommit;
use crate::metrics::store::StoreMetrics;
use crate::store_health::StoreHealth;
use crate::trace;

/// The parts of a store with rows of this kind. [Opened](Self::open) within a runtime, on which it reads.
pub struct StoreCore<B: BatchRows> {
    pub(super) writer: GroupCommit<BatchEngine<B>>,
    pub(super) readers: PostgresReaders,
    pub(super) shared: Shared<B>,
    pub(super) metrics: StoreMetrics,
    pub(super) health: StoreHealth,
    pub(super) hearing: CancellationToken,
    pub(super) _hearing: DropGuard,
}

impl<B: BatchRows> StoreCore<B> {
    /// What the writer and the readers both have.
    pub fn shared(&self) -> &Shared<B> {
        &self.shared
    }

    /// Whether the store works, as far as was seen.
    pub fn health(&self) -> &StoreHealth {
        &self.health
    }

    /// What a command comes to, after its commit.
    pub async fn write<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut B) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let trace = trace::current();
        let done = self.writer.submit(move |batch| {
            batch.serve(trace);
            let done = command(batch);
            unless_rows_are_missing(batch, done)
        });
        self.health.note(done.await.and_then(of_all_rows))
    }

    /// [`write`](Self::write) after all others of its batch: see [`GroupCommit::submit_last`].
    pub async fn write_last<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut B, usize) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let done = self.writer.submit_last(move |batch, others| {
            batch.serve(None);
            let done = command(batch, others);
            unless_rows_are_missing(batch, done)
        });
        self.health.note(done.await.and_then(of_all_rows))
    }

    /// Reads, but not for ever; once more where the connection turned out to be of no more use.
    pub async fn read<T, R>(&self, read: impl Fn() -> R) -> Result<T, StoreError>
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

    /// What is committed now, as soon as a connection is free.
    pub async fn snapshot(&self) -> Result<ReadSnapshot<B>, Failure> {
        let connection = self.readers.get().await?;
        Ok(ReadSnapshot::begin(connection, &self.shared).await)
    }

    /// What `work` does beside the writer, on a connection of its own outside of any transaction; not for ever.
    pub async fn beside<T>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
    ) -> Result<T, StoreError> {
        let done = self.shared.in_time(Box::pin(async {
            let connection = self.readers.get().await?;
            let done = work(connection.client()?).await?;
            connection.give_back();
            Ok(done)
        }));
        self.health.note(done.await.map_err(StoreError::from))
    }

    /// What a command would come to on the rows of `batch`, which is new, from one committed state; nothing of it is written.
    pub async fn preview<T>(
        &self,
        batch: impl Fn() -> B,
        command: impl Fn(&mut B) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let preview = || {
            Box::pin(async {
                let snapshot = self.snapshot().await?;
                let Begun { now, head } = match snapshot.begun().await {
                    Ok(begun) => begun,
                    Err(why) => return snapshot.end(Err(why)).await,
                };
                let mut batch = batch();
                batch.found(head);
                for _ in 0..PASSES_MAX {
                    batch.restart(now);
                    let came = command(&mut batch);
                    if !batch.wants() {
                        return snapshot.end(came.map_err(Failure::from)).await;
                    }
                    let (client, lanes) = (snapshot.client()?, snapshot.lanes());
                    batch
                        .load(client, lanes, Locking::Unlocked, None, None)
                        .await?;
                }
                Err(too_many_passes())
            })
        };
        self.read(preview).await
    }

    /// Adds the store's figures to what is scraped.
    pub fn register(&self, registry: &mut Registry) {
        self.metrics.register_remote(registry);
        self.writer.register_queue(registry);
        self.readers.register_queue(registry);
    }

    /// Resolves when nothing more can be written: see [`GroupCommit::closed`].
    pub async fn closed(&self) {
        self.writer.closed().await;
    }

    /// Lets what waits be written, then ends.
    pub async fn close(&self) {
        self.hearing.cancel();
        self.readers.close();
        self.writer.clone().close().await;
    }
}

/// What a command came to; nothing yet where it failed and rows are missing, for that may be why. So it does not keep the commands after it
/// from asking for theirs: one at a time, each would cost an answer of the server.
fn unless_rows_are_missing<T>(
    batch: &impl BatchRows,
    done: Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match done {
        Err(_) if batch.wants() => Ok(None),
        done => done.map(Some),
    }
}

/// What a command came to when no row was missing any more.
fn of_all_rows<T>(done: Option<T>) -> Result<T, StoreError> {
    done.ok_or_else(|| {
        StoreError::internal("a command was answered before all its rows were there")
    })
}

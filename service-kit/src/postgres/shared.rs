//! What the writer and the readers of one store both have.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use tokio_postgres::Row;

use super::{BatchRows, Client, Failure, HeadRow, History, Locking, Seen, StoreClock};
use crate::environment::Random;
use crate::feed::Hub;
use crate::secret::StoreSecret;
use crate::time::Time;

/// Whoever is told of something.
pub type Notice<T> = Arc<dyn Fn(&T) + Send + Sync>;

/// What the writer and the readers of a store with rows of this kind both have. Clones are the same.
pub struct Shared<B: BatchRows> {
    /// The history.
    pub history: History,
    /// The database's secret.
    pub secret: StoreSecret,
    /// Over how many lanes rows are spread.
    pub lanes: u16,
    /// What time it is.
    pub clock: StoreClock,
    /// Wakes watchers here.
    pub hub: Hub,
    /// How long an answer is waited for: longer than the server works at one.
    pub answer_wait: Duration,
    /// Up to which position watchers here have been told of what concerns them.
    pub published: Arc<AtomicU64>,
    /// Where new epochs and ids come from.
    pub random: Arc<dyn Random>,
    /// Told of every end of the history that is seen here, in no particular order.
    pub noticed: Notice<B::Head>,
    /// Which end of the history it is that is read.
    pub rows: std::marker::PhantomData<fn() -> B>,
}

impl<B: BatchRows> Clone for Shared<B> {
    fn clone(&self) -> Self {
        Self {
            history: self.history.clone(),
            secret: self.secret.clone(),
            lanes: self.lanes,
            clock: self.clock.clone(),
            hub: self.hub.clone(),
            answer_wait: self.answer_wait,
            published: self.published.clone(),
            random: self.random.clone(),
            noticed: self.noticed.clone(),
            rows: self.rows,
        }
    }
}

impl<B: BatchRows> Shared<B> {
    /// Waits for an answer, but not for ever: [`Failure::Away`] after the time for it.
    pub async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        timeout(self.answer_wait, answer)
            .await
            .unwrap_or_else(|_| Err(Failure::Away("no answer within the time for it".into())))
    }

    /// Begins another epoch, since the history has gone back.
    pub async fn begin_again(&self, client: &Client) -> Result<(), Failure> {
        self.in_time(self.history.begin_again(client, &*self.random))
            .await?;
        self.hub.rewind(self.history.known().position);
        Ok(())
    }

    /// Reads the end of the history, and what time it is; outside of a transaction, as it is committed. [`Failure::WentBack`] when it lies
    /// before what was known.
    pub async fn look(&self, client: &Client) -> Result<(B::Head, Time), Failure> {
        let known = self.history.known();
        let rows = B::head_statement(Locking::Unlocked)
            .query(client, &[])
            .await?;
        self.saw(client, known, &rows).await
    }

    /// Takes note of the end of the history as a transaction found it, which knew of `before` when it began; all that the row holds, and the
    /// store's time: the clock's, or the last committed time if that is later. [`Failure::WentBack`] when it lies before that.
    pub async fn saw(
        &self,
        client: &Client,
        before: HeadRow,
        rows: &[Row],
    ) -> Result<(B::Head, Time), Failure> {
        let row = rows
            .first()
            .ok_or_else(|| Failure::corrupt("the store has lost its first row"))?;
        let (found, head, database) = B::read_head(row)?;
        match self.history.saw(before, found) {
            Seen::Same => {}
            Seen::Newer => self.history.reload(client, found).await?,
            Seen::WentBack => return Err(Failure::WentBack),
        }
        (self.noticed)(&head);
        let time = self.clock.of(database).max(B::last_time(&head));
        Ok((head, time))
    }

    /// Notes that watchers here were told of everything up to `to`, if they had been of everything up to `from`.
    pub(super) fn told(&self, from: u64, to: u64) {
        let _ = self
            .published
            .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
    }
}

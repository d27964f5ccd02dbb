//! The store on PostgreSQL, which several processes may use at once: one writer in each that commits in groups, readers with snapshots.
//!
//! Deliberately absent: SQL (in the files of its modules) and decisions.

mod acts;
mod batch;
mod batch_rows;
mod copy;
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
    id::IdSource,
    postgres::{Failure, History, Statement, StoreCore},
};

use self::{batch::Batch, reads::Snapshot};
use super::{
    command::facts::{FeedFact, Pace},
    folding::Folding,
    rows::{FeedCursor, Rows},
    standing_metrics::StandingMetrics,
};
use crate::domain::policy::Policy;

pub use copy::copy_plan;
pub use engine::MIGRATIONS;
pub use service_kit::postgres::{OpenError, TimeSource};

/// In place of a process that leads, before one has.
const NOBODY: i64 = 0;

/// What comes of `$read` in a snapshot of its own.
macro_rules! read {
    ($store:ident, |$snapshot:ident| $read:expr) => {{
        let read = || {
            Box::pin(async {
                let $snapshot = $store.snapshot().await?;
                let read = $read;
                $snapshot.committed.end(read).await
            })
        };
        $store.core.read(read).await
    }};
}
use read;

/// The store on PostgreSQL.
pub struct PostgresStore {
    core: StoreCore<Batch>,
    policy: Arc<Policy>,
    pace: Arc<Pace>,
    standings: StandingMetrics,
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
        copy_plan().statements(),
    ]
    .concat()
}

impl PostgresStore {
    async fn write<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut Batch, &Policy) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let policy = self.policy.clone();
        self.core.write(move |batch| command(batch, &policy)).await
    }

    async fn snapshot(&self) -> Result<Snapshot, Failure> {
        Ok(Snapshot {
            committed: self.core.snapshot().await?,
            policy: self.policy.clone(),
        })
    }

    /// What a command that only the leading process may do comes to.
    async fn write_leading<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut Batch, &Policy) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let history = self.core.shared().history.clone();
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
            let (mut next, history) = (folding.next(), self.core.shared().history.clone());
            let done = self.core.write_last(move |batch, others| {
                still_leads(batch, &history)?;
                next(batch, others)
            });
            if folding.folded(done.await?) {
                return Ok(());
            }
        }
    }

    /// What a command would come to, from one committed state; nothing of it is written.
    async fn preview<T: Send>(
        &self,
        command: impl Fn(&mut dyn Rows, &Policy) -> Result<T, StoreError> + Send + Sync,
    ) -> Result<T, StoreError> {
        let batch = || {
            // An id made here names nothing.
            let ids = IdSource::new(|bytes| bytes.fill(0));
            let secret = self.core.shared().secret.clone();
            Batch::new(secret, ids, self.standings.clone())
        };
        let command = |batch: &mut Batch| command(batch, &self.policy);
        self.core.preview(batch, command).await
    }
}

/// Looked at under the lock of the row that says who leads.
fn still_leads(batch: &Batch, history: &History) -> Result<(), StoreError> {
    if batch.found.leader != NOBODY && batch.found.leader != history.own() {
        return Err(StoreError::unavailable("another process leads"));
    }
    Ok(())
}

//! The store on PostgreSQL, which several processes may use at once: one writer in each that commits in groups, readers with snapshots.
//!
//! Deliberately absent: SQL (in the files of its modules) and decisions.

mod acknowledged;
mod batch;
mod batch_engine;
mod batch_labels;
mod batch_rows;
mod cards;
mod copy;
mod due;
mod feed;
mod flush;
mod labels;
mod lines;
mod lists;
mod load;
mod metrics;
mod network;
mod ranges;
mod reads;
mod store;
mod tables;
mod ties;

use std::sync::Arc;

use service_kit::environment::Random;
use service_kit::error::StoreError;
use service_kit::group_commit::GroupCommitOptions;
use service_kit::postgres::{
    Failure, History, PostgresOptions, PostgresUrl, Statement, StoreCore, StoreSetup,
};

use self::acknowledged::Acknowledged;
use self::batch::Batch;
use self::lists::Lists;
use self::reads::Snapshot;
use super::rows::Rows;
use crate::domain::policy::Policy;

pub use batch_engine::MIGRATIONS;
pub use copy::copy_plan;
pub use service_kit::postgres::{OpenError, TimeSource};

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
        $store.core.read(read).await
    }};
}
use read;

/// The store on PostgreSQL.
pub struct PostgresStore {
    core: StoreCore<Batch>,
    policy: Policy,
    acknowledged: Acknowledged,
    lists: Lists,
}

/// Every statement that is sent, for a server to check.
pub fn statements() -> Vec<Statement> {
    [
        History::statements(),
        batch_engine::statements(),
        load::statements(),
        ranges::statements(),
        flush::statements(),
        tables::statements(),
        copy_plan().statements(),
        reads::statements(),
        due::statements(),
        cards::statements(),
        labels::statements(),
        lists::statements(),
        network::statements(),
        feed::statements(),
    ]
    .concat()
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
        let acknowledged = Acknowledged::new();
        let setup = StoreSetup {
            component: "connection-service",
            writer: "connection-writer",
            url,
            options,
            group_commit,
            migrations: MIGRATIONS,
            time,
            random,
        };
        let (told, noticed) = (acknowledged.clone(), acknowledged.clone());
        let core = StoreCore::open(
            setup,
            |shared| Batch::new(shared.secret.clone(), told),
            move |head| noticed.raise(head.seen.acknowledged),
        );
        Ok(Self {
            core: core.await?,
            policy,
            acknowledged,
            lists: Lists::new(&policy),
        })
    }

    async fn command<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut dyn Rows, &Policy) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let policy = self.policy;
        self.core.write(move |batch| command(batch, &policy)).await
    }

    async fn snapshot(&self) -> Result<Snapshot, Failure> {
        let committed = self.core.snapshot().await?;
        Ok(Snapshot {
            committed,
            policy: self.policy,
            secret: self.core.shared().secret.clone(),
        })
    }
}

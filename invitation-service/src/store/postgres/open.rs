//! Opening the store.

use std::sync::Arc;

use service_kit::{
    environment::Random,
    group_commit::GroupCommitOptions,
    id::IdSource,
    postgres::{
        OpenError, PostgresOptions, PostgresUrl, Shared, StoreCore, StoreSetup, TimeSource,
    },
};

use super::{PostgresStore, batch::Batch, engine::MIGRATIONS};
use crate::{domain::policy::Policy, store::standing_metrics::StandingMetrics};

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
        let setup = StoreSetup {
            component: "invitation-service",
            writer: "invitation-writer",
            url,
            options,
            group_commit,
            migrations: MIGRATIONS,
            time,
            random,
        };
        let standings = StandingMetrics::new();
        let batch = |shared: &Shared<Batch>| {
            let ids = IdSource::from_random(shared.random.clone());
            Batch::new(shared.secret.clone(), ids, standings.clone())
        };
        let core = StoreCore::open(setup, batch, |_| {});
        Ok(Self {
            core: core.await?,
            policy: Arc::new(policy),
            pace: Arc::default(),
            standings,
        })
    }
}

//! The two services on simulated hosts: the real ones, on stores that work in place, with all that varies from the seed.
//!
//! Deliberately absent: starting and killing them, which the run does by its plan.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use invitation_service::{
    connections::RemoteConnections,
    limiter::{LimiterRules, LocalLimiter},
};
use rand::{RngCore as _, rngs::SmallRng};
use service_kit::{
    clock::ManualClock,
    environment::{Environment, Executor, Random},
    error::StoreError,
    group_commit::GroupCommitOptions,
    sqlite::{SqliteOptions, Synchronous},
};
use tokio_util::sync::CancellationToken;

use super::{
    network::{Listener, channel},
    plan::{Plan, host, random},
    variant::Variant,
};

/// Where invitation-service listens.
pub(crate) const INVITATION_PORT: u16 = 50_051;
/// Where connection-service listens.
pub(crate) const CONNECTION_PORT: u16 = 50_052;

/// Randomness that follows from the seed.
struct Seeded(Mutex<SmallRng>);

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        self.0.lock().unwrap().fill_bytes(bytes);
        Ok(())
    }
}

/// What a service is started with, each time anew on the same file.
#[derive(Clone)]
pub(crate) struct Service {
    /// The store's file.
    pub(crate) file: PathBuf,
    /// The clock of its host.
    pub(crate) clock: ManualClock,
    random: Arc<Seeded>,
    plan: Arc<Plan>,
    variant: Option<Variant>,
}

impl Service {
    /// The service of a host, on a file.
    pub(crate) fn new(
        plan: &Arc<Plan>,
        host: &str,
        file: PathBuf,
        clock: ManualClock,
        variant: Option<Variant>,
    ) -> Self {
        let purpose = if host == host::INVITATION { 2 } else { 3 };
        Self {
            file,
            clock,
            random: Arc::new(Seeded(Mutex::new(random(plan.seed, purpose)))),
            plan: plan.clone(),
            variant,
        }
    }

    fn options(&self) -> SqliteOptions {
        let mut options = SqliteOptions::new(&self.file);
        // A simulated crash is one of the process; the machine goes on.
        options.synchronous = Synchronous::Normal;
        options.cache_mebibytes = 2;
        options
    }

    fn environment(&self) -> Environment {
        Environment {
            clock: Arc::new(self.clock.clone()),
            random: self.random.clone(),
            executor: Executor::Inline,
        }
    }

    /// Serves as invitation-service until the host crashes.
    pub(crate) async fn serve_invitations(self) -> turmoil::Result {
        let mut config = invitation_service::Config::new(self.options());
        config.policy = self.plan.invitation_policy.clone();
        config.worker.poll = self.plan.worker_poll;
        let store = invitation_service::store::sqlite::SqliteStore::open(
            self.options(),
            GroupCommitOptions::default(),
            Variant::bend_policy(self.variant, config.policy.clone()),
            self.environment(),
        )?;
        let rules = LimiterRules {
            weekly_window: config.policy.weekly_window,
            recheck_after: config.limiter_recheck,
        };
        let limiter = LocalLimiter::new(rules, 100);
        let channel = channel(host::CONNECTION, CONNECTION_PORT);
        let connections = RemoteConnections::new(channel.clone(), &config.connections);
        let parts = invitation_service::Parts {
            listener: Listener::bind(INVITATION_PORT).await?,
            store: Variant::bend_invitations(self.variant, Arc::new(store)),
            limiter: Variant::bend_limiter(self.variant, Arc::new(limiter)),
            connections: Variant::bend_asking(self.variant, Arc::new(connections)),
            channel,
            clock: Arc::new(self.clock.clone()),
        };
        invitation_service::run_with(config, parts, CancellationToken::new()).await?;
        Ok(())
    }

    /// Serves as connection-service until the host crashes.
    pub(crate) async fn serve_connections(self) -> turmoil::Result {
        let mut config = connection_service::Config::new(self.options());
        config.policy = self.plan.connection_policy;
        config.worker_poll = self.plan.worker_poll;
        let store = connection_service::store::sqlite::SqliteStore::open(
            self.options(),
            GroupCommitOptions::default(),
            config.policy,
            self.environment(),
        )?;
        let parts = connection_service::Parts {
            listener: Listener::bind(CONNECTION_PORT).await?,
            store: Variant::bend_connections(self.variant, Arc::new(store)),
            executor: Executor::Inline,
        };
        connection_service::run_with(config, parts, CancellationToken::new()).await?;
        Ok(())
    }
}

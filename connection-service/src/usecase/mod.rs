//! What the service does, one file for each method or job of it.
//!
//! A use case gathers what a decision needs, hands it to the store, and acts on the outcome. Deliberately absent: the wire (it is
//! given parsed values and answers with values) and rules.

pub mod acknowledge_facts;
mod acting;
pub mod batch_remove;
pub mod block_member;
pub mod dismiss_suggestion;
pub mod ensure_connection;
pub mod erase_member;
pub mod export;
pub mod get_member;
pub mod get_pair_facts;
pub mod get_relationships;
pub mod import_connections;
pub mod labels;
pub mod list_blocked_members;
pub mod list_connections;
pub mod list_facts;
pub mod list_mutual_connections;
mod network;
mod position;
pub mod put_members;
pub mod remove_connection;
pub mod suggest_connections;
pub mod unblock_member;
pub mod update_connection;
pub mod watch_connections;
pub mod watch_facts;

use std::sync::Arc;
use std::time::Duration;

use service_kit::environment::Executor;
use service_kit::error::StoreError;
use service_kit::watch::{WatchEnd, WatchOptions, Watches};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::import_connections::ImportOptions;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::graph::Memory;
use crate::store::Store;

/// Why a call was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A rule says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store could not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stream does not begin or go on.
    #[error(transparent)]
    Watch(#[from] WatchEnd),
}

/// What every use case works with.
pub struct Context {
    store: Arc<dyn Store>,
    policy: Policy,
    memory: Memory,
    /// Searches of the store for what memory does not know, which keep a reader for long.
    searches: Semaphore,
    watches: Watches,
    imports: Imports,
}

/// Where imports find their bounds.
struct Imports {
    options: ImportOptions,
    /// Where their rows are put in order.
    executor: Executor,
    /// A place for each that may run.
    places: Arc<Semaphore>,
}

impl Context {
    /// Works on `store`, and on what `memory` knows of it, by `policy`, within the bounds of `watches` and `imports`, with long work done by
    /// `executor`; its streams end when `shutdown` is cancelled.
    pub fn new(
        store: Arc<dyn Store>,
        memory: Memory,
        policy: Policy,
        watches: WatchOptions,
        imports: ImportOptions,
        executor: Executor,
        shutdown: CancellationToken,
    ) -> Self {
        let places = imports.open_max.clamp(1, Semaphore::MAX_PERMITS);
        let imports = Imports {
            options: imports,
            executor,
            places: Arc::new(Semaphore::new(places)),
        };
        Self {
            store,
            policy,
            searches: Semaphore::new(memory.options().searches_max),
            memory,
            watches: Watches::new(watches, shutdown),
            imports,
        }
    }

    /// Where streams are started.
    pub fn watches(&self) -> &Watches {
        &self.watches
    }

    /// The numbers of the rules.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn imports(&self) -> &Imports {
        &self.imports
    }

    /// How long an import waits for its next message.
    pub fn import_wait_max(&self) -> Duration {
        self.imports.options.wait_max
    }

    fn shared_store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// How many positions of the feed a stream reads at once.
    fn positions_at_once_max(&self) -> u32 {
        u32::try_from(self.watches.options().positions_at_once_max).unwrap_or(u32::MAX)
    }
}

//! What a store takes from its surroundings: time, randomness, and where its work is done.
//!
//! In production all three come from the system. In a simulation they follow from a seed, so that a run can be repeated.
//! Deliberately absent: the network (whoever starts a service gives it a listener and channels) and waiting, which is `tokio::time`.

use std::sync::Arc;

use crate::clock::Clock;
use crate::error::StoreError;

/// Something that gives bytes nobody can guess.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`; [`StoreError::Internal`] when there is no randomness to be had.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError>;
}

/// The operating system's randomness.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), StoreError> {
        getrandom::fill(bytes).map_err(StoreError::internal)
    }
}

/// Where a store's work is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Executor {
    /// On threads of its own: a writer, readers, and one that checkpoints.
    #[default]
    Threads,
    /// On the task of whoever asks, one command a commit, without checkpoints before the store is closed: for simulation, where the
    /// order of all that happens must follow from the seed alone.
    Inline,
}

impl Executor {
    /// Does work that may take long: on a thread beside the runtime, or in place. `None` when it panicked.
    pub async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        match self {
            // What panics has been logged by the process's hook.
            Self::Threads => tokio::task::spawn_blocking(work).await.ok(),
            Self::Inline => Some(work()),
        }
    }
}

/// The surroundings of a store. Clones are the same surroundings.
#[derive(Clone)]
pub struct Environment {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where secrets, and the random part of ids, come from.
    pub random: Arc<dyn Random>,
    /// Where its work is done.
    pub executor: Executor,
}

impl Environment {
    /// The system's randomness and threads, with `clock`.
    pub fn system(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            random: Arc::new(SystemRandom),
            executor: Executor::Threads,
        }
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("executor", &self.executor)
            .finish_non_exhaustive()
    }
}

//! Whether a store works, as its use shows, and what the process says of it.
//!
//! The first commit or read that the disk refuses is enough to say that the service does not serve; then the store is tried every
//! second until it works again. Deliberately absent: a store that ended by itself, which ends the process
//! ([`crate::server::End::StoreEnded`]), and rows that make no sense, which are a matter of those rows alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::error::StoreError;
use crate::server::HealthHandle;

/// How often a store that has failed is tried.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// Whether a store works. Clones are of the same store.
#[derive(Clone, Debug)]
pub struct StoreHealth(Arc<watch::Sender<bool>>);

impl Default for StoreHealth {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(true)))
    }
}

impl StoreHealth {
    /// Of a store that works until something else is noted.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes how something that was asked of the store has ended, and hands it on.
    pub fn note<T>(&self, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        if let Err(StoreError::Unavailable(_)) = &outcome {
            self.0.send_if_modified(std::mem::take);
        }
        outcome
    }

    /// Whether nothing has failed, or the store has worked again since.
    pub fn works(&self) -> bool {
        *self.0.borrow()
    }

    /// Has `health` say whether the store works, until `stop` is cancelled. `probe` writes and reads something that changes nothing.
    pub async fn tell<P>(
        &self,
        health: &HealthHandle,
        probe: impl Fn() -> P,
        stop: &CancellationToken,
    ) where
        P: Future<Output = Result<(), StoreError>>,
    {
        let telling = async {
            let mut works = self.0.subscribe();
            // The sender is held here.
            while works.wait_for(|works| !works).await.is_ok() {
                tracing::error!(
                    "the store fails: this service says that it does not serve until the store works again"
                );
                health.set_not_serving();
                let mut told = false;
                while let Err(error) = probe().await {
                    if told {
                        tracing::debug!("the store still fails: {error}");
                    } else {
                        tracing::warn!("the store fails: {error}");
                        told = true;
                    }
                    sleep(TRY_EVERY).await;
                }
                tracing::info!("the store works again");
                self.0.send_replace(true);
                health.set_serving();
            }
        };
        stop.run_until_cancelled(telling).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_fails_is_told_of_until_it_works() {
        let (store, health, stop) = (
            StoreHealth::new(),
            HealthHandle::new(),
            CancellationToken::new(),
        );
        health.set_serving();
        let probes = AtomicU32::new(0);
        let probe = async || {
            // The disk is full for three tries.
            match probes.fetch_add(1, SeqCst) {
                0..3 => Err(StoreError::unavailable("full")),
                _ => Ok(()),
            }
        };
        let using = async {
            for harmless in [
                StoreError::Overloaded,
                StoreError::corrupt("x"),
                StoreError::internal("x"),
            ] {
                assert_eq!(store.note::<()>(Err(harmless.clone())), Err(harmless));
            }
            assert_eq!(store.note(Ok(1)), Ok(1));
            sleep(TRY_EVERY).await;
            assert!(store.works() && health.is_serving());
            store
                .note::<()>(Err(StoreError::unavailable("full")))
                .unwrap_err();
            assert!(!store.works());
            sleep(TRY_EVERY / 2).await;
            assert!(!health.is_serving());
            sleep(TRY_EVERY * 2).await;
            assert!(!health.is_serving());
            sleep(TRY_EVERY).await;
            assert!(store.works() && health.is_serving());
            assert_eq!(probes.load(SeqCst), 4);
            stop.cancel();
        };
        tokio::join!(store.tell(&health, probe, &stop), using);
    }
}

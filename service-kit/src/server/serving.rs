//! A server at work, from before there is a store until after.

use std::future::Future;

use tokio::task::{JoinError, JoinHandle};
use tokio_util::sync::CancellationToken;
use tonic::service::RoutesBuilder;

use super::HealthHandle;
use super::gate::Door;
use super::while_open::{End, while_open};

/// A server at work. Dropping it does not end it; its token does.
#[derive(Debug)]
pub struct Serving {
    pub(super) door: Door,
    health: HealthHandle,
    stop: CancellationToken,
    pub(super) task: JoinHandle<()>,
}

impl Serving {
    pub(super) fn new(
        door: Door,
        health: HealthHandle,
        stop: CancellationToken,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            door,
            health,
            stop,
            task,
        }
    }

    /// Cancelled when all that the service does should end.
    pub fn stop(&self) -> CancellationToken {
        self.stop.clone()
    }

    /// What it says of itself.
    pub fn health(&self) -> HealthHandle {
        self.health.clone()
    }

    /// Serves `routes` from now on, and says so. Until then their callers are answered `UNAVAILABLE`.
    pub fn open(&self, routes: RoutesBuilder) {
        self.door.open(routes);
        self.health.set_serving();
    }

    /// Serves until told to end, or until `store_closed` resolves; everything else is told to end then. Fails when serving panicked.
    pub async fn while_open(
        self,
        store_closed: impl Future<Output = ()>,
    ) -> Result<End, JoinError> {
        while_open(self.task, store_closed, &self.health, &self.stop).await
    }

    /// Opens what is to be served from, on a thread that may block, while health says that it is not there yet. When `open` fails or
    /// panics, serving ends first. The outer error is a panic, of `open` or of serving.
    pub async fn while_opening<T, E>(
        self,
        open: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<Result<(Self, T), E>, JoinError>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let opened = tokio::task::spawn_blocking(open).await;
        let failed = match opened {
            Ok(Ok(opened)) => return Ok(Ok((self, opened))),
            Ok(Err(error)) => Ok(Err(error)),
            Err(panicked) => Err(panicked),
        };
        self.stop.cancel();
        self.task.await?;
        failed
    }
}

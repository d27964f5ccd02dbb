//! Connections that read, shared by all who ask.
//!
//! Each is made when it is needed, and thrown away when anything went wrong on it, or whoever read with it gave up half-way. Deliberately
//! absent: what is read, and in which snapshot: whoever has a connection begins and ends it.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{
    Manager, Metrics, Object, Pool, PoolError, RecycleError, RecycleResult, TimeoutType,
};
use prometheus_client::registry::Registry;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::{Connector, Failure, PostgresOptions};
use crate::error::StoreError;
use crate::metrics::store::{self, ReaderMetrics};

/// A connection with the task that drives it.
struct Driven {
    client: super::Client,
    driving: JoinHandle<()>,
}

impl Drop for Driven {
    fn drop(&mut self) {
        // A server that hangs would keep it for ever.
        self.driving.abort();
    }
}

struct Connections(Connector);

impl Manager for Connections {
    type Type = Driven;
    type Error = Failure;

    async fn create(&self) -> Result<Driven, Failure> {
        let (client, driving) = self.0.connect().await?;
        Ok(Driven { client, driving })
    }

    async fn recycle(&self, driven: &mut Driven, _: &Metrics) -> RecycleResult<Failure> {
        if driven.client.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}

/// A handle to the readers of a store. Clones share them.
#[derive(Clone)]
pub struct PostgresReaders {
    pool: Pool<Connections>,
    waiting: Arc<AtomicUsize>,
    waiting_max: usize,
    metrics: ReaderMetrics,
}

impl fmt::Debug for PostgresReaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresReaders").finish_non_exhaustive()
    }
}

impl PostgresReaders {
    /// Readers over `connector`, none of which is connected yet.
    pub fn new(
        connector: Connector,
        options: &PostgresOptions,
        metrics: ReaderMetrics,
    ) -> Result<Self, Failure> {
        let pool = Pool::builder(Connections(connector))
            .max_size(options.readers.max(1))
            .wait_timeout(Some(options.reader_wait))
            .create_timeout(Some(options.connect_timeout))
            .runtime(Runtime::Tokio1)
            .build();
        Ok(Self {
            pool: pool.map_err(Failure::internal)?,
            waiting: Arc::default(),
            waiting_max: options.reader_queue_max,
            metrics,
        })
    }

    /// A connection, when one is free.
    ///
    /// [`StoreError::Overloaded`] when too many wait, or when none was free within the time for it; [`Failure::Away`] when none can be
    /// made, and after [`close`](Self::close).
    pub async fn get(&self) -> Result<Client, Failure> {
        let asked = Instant::now();
        let place = Place::take(&self.waiting, self.waiting_max)?;
        let object = match self.pool.get().await {
            Ok(object) => object,
            Err(PoolError::Timeout(TimeoutType::Wait)) => {
                return Err(StoreError::Overloaded.into());
            }
            Err(PoolError::Backend(failure)) => return Err(failure),
            Err(PoolError::Closed) => return Err(Failure::Away("the readers have ended".into())),
            Err(PoolError::Timeout(_)) => {
                return Err(Failure::Away("connecting took too long".into()));
            }
            Err(other) => return Err(Failure::internal(other)),
        };
        drop(place);
        let begun = Instant::now();
        Ok(Client {
            object: Some(object),
            metrics: self.metrics.clone(),
            waited: begun - asked,
            begun,
        })
    }

    /// Closes the connections that nobody uses: one has turned out to be of no more use, so the others will too.
    pub fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Counts how a read has ended, and hands it on.
    pub fn note<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        self.metrics.ended(&result);
        result
    }

    /// Adds how many reads wait to what is scraped.
    pub fn register_queue(&self, registry: &mut Registry) {
        let help = "Reads that wait for a reader";
        let waiting = Arc::downgrade(&self.waiting);
        store::register_length(registry, "store_read_queue", help, move || {
            Some(waiting.upgrade()?.load(Ordering::Relaxed))
        });
    }

    /// Gives no more connections; those in use end when they are given back.
    pub fn close(&self) {
        self.pool.close();
    }
}

/// One of those who wait.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(waiting: &'a AtomicUsize, max: usize) -> Result<Self, Failure> {
        if waiting.fetch_add(1, Ordering::Relaxed) >= max {
            waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(StoreError::Overloaded.into());
        }
        Ok(Self(waiting))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection of the readers. Dropped without having been [given back](Self::give_back), it is closed: nobody knows what is under way.
pub struct Client {
    object: Option<Object<Connections>>,
    metrics: ReaderMetrics,
    waited: Duration,
    begun: Instant,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    /// The connection.
    pub fn client(&self) -> Result<&super::Client, Failure> {
        let object = self.object.as_ref();
        let driven = object.map(|object| &object.deref().client);
        driven.ok_or_else(|| Failure::internal("a connection that was given back"))
    }

    /// Leaves it to the next: nothing is under way, no transaction is open.
    pub fn give_back(mut self) {
        self.metrics.read(self.waited, self.begun.elapsed());
        drop(self.object.take());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

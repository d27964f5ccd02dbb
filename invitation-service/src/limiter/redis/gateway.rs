//! The way to Redis, which is closed while Redis is away.
//!
//! Every call has a time limit. When the connection breaks, or enough calls in a row have failed, the way is closed: calls are not made
//! any more, and a task tries to connect until a script can write again. So a Redis that hangs holds up a handful of sends, and one that
//! comes back is used within the time of a try. Deliberately absent: repeating a call, and queues; whoever calls does without.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use redis::{RedisError, RedisResult};
use tokio::{
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    connect::{Connector, Link},
    metrics::{Operation, Outcome, RedisMetrics},
    options::RedisOptions,
};

/// The way to Redis. Closed with the last handle.
pub(super) struct Gateway {
    way: Arc<Way>,
    _tending: AbortOnDropHandle<()>,
}

struct Way {
    /// `None` while Redis is away.
    open: watch::Sender<Option<Open>>,
    options: RedisOptions,
    metrics: RedisMetrics,
}

#[derive(Clone)]
struct Open {
    link: Link,
    /// How many calls in a row have failed on this connection.
    failures: Arc<AtomicU32>,
}

impl Gateway {
    /// Begins to connect, and returns at once.
    pub(super) fn open(connector: Connector, options: RedisOptions, metrics: RedisMetrics) -> Self {
        metrics.degraded(true);
        let way = Arc::new(Way {
            open: watch::Sender::new(None),
            options,
            metrics,
        });
        let tending = tokio::spawn(tend(way.clone(), connector));
        Self {
            way,
            _tending: AbortOnDropHandle::new(tending),
        }
    }

    /// What a call answers; `None` when it is not made, fails, or takes too long.
    pub(super) async fn call<T, F>(
        &self,
        operation: Operation,
        call: impl FnOnce(Link) -> F,
    ) -> Option<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let Way {
            open,
            options,
            metrics,
        } = &*self.way;
        let found = open.borrow().clone();
        let Some(open) = found else {
            metrics.called(operation, Outcome::Skipped);
            return None;
        };
        let began = Instant::now();
        match timeout(options.timeout, call(open.link.clone())).await {
            Ok(Ok(answer)) => {
                open.failures.store(0, Ordering::Relaxed);
                metrics.answered_in(began.elapsed());
                metrics.called(operation, Outcome::Answered);
                Some(answer)
            }
            Ok(Err(error)) => {
                metrics.called(operation, Outcome::Failed);
                self.way.failed(&open, Some(&error));
                None
            }
            Err(_) => {
                metrics.called(operation, Outcome::TimedOut);
                self.way.failed(&open, None);
                None
            }
        }
    }

    /// Waits until Redis is there.
    pub(super) async fn opened(&self) {
        // The sender is held here.
        let _ = self.way.open.subscribe().wait_for(Option::is_some).await;
    }
}

impl Way {
    /// Notes that a call has failed, with the error unless it was the time.
    fn failed(&self, on: &Open, error: Option<&RedisError>) {
        let failures = on
            .failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1);
        let lost = error.is_some_and(|error| on.link.is_lost(error));
        if !lost && failures < self.options.failures_max {
            return;
        }
        let closed = self.open.send_if_modified(|open| {
            let same = |open: &Open| Arc::ptr_eq(&open.failures, &on.failures);
            let closes = open.as_ref().is_some_and(same);
            if closes {
                *open = None;
            }
            closes
        });
        if closed {
            self.metrics.degraded(true);
            // Of an answer only the kind is told: its text may name a key, and so a member.
            let cause = error.map_or("no answer in time", RedisError::category);
            tracing::warn!(
                cause,
                "Redis is away: until it is back, the store alone holds the weekly cap"
            );
        }
    }
}

/// Connects whenever there is no connection.
async fn tend(way: Arc<Way>, connector: Connector) {
    let mut seen = way.open.subscribe();
    // Whether it was said that Redis is away.
    let mut told = false;
    loop {
        let link = loop {
            match connected(&connector, way.options.connect_timeout).await {
                Ok(link) => break link,
                Err(why) if !told => {
                    told = true;
                    tracing::warn!(
                        "Redis cannot be reached ({why}): until it can, the store alone holds the weekly cap"
                    );
                }
                Err(_) => {}
            }
            sleep(way.options.retry).await;
        };
        if told {
            tracing::info!("Redis is back");
        }
        way.metrics.degraded(false);
        way.open.send_replace(Some(Open {
            link,
            failures: Arc::default(),
        }));
        // The sender is held here.
        let _ = seen.wait_for(Option::is_none).await;
        told = true;
        sleep(way.options.retry).await;
    }
}

async fn connected(connector: &Connector, limit: Duration) -> Result<Link, String> {
    match timeout(limit, connector.connect()).await {
        Ok(connected) => connected.map_err(|error| error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    }
}

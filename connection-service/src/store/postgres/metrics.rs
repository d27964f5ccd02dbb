//! What is shown of the store: its parts, how far the other service follows, and what waits for the worker.
//!
//! Deliberately absent: anything whose cost grows with what is stored, and the server's own figures, which it shows itself.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::metrics::gauge::Gauge;
use service_kit::metrics::register_read;
use service_kit::metrics::work::{Backlog, COUNTED_MAX};
use service_kit::observability::Observability;
use service_kit::time::{Span, Time};

use super::due::Waiting;
use super::{PostgresStore, read};

impl PostgresStore {
    /// Hands in the store's figures.
    pub fn register(self: &Arc<Self>, seen: &mut Observability) {
        let (metrics, work) = (&mut seen.metrics, seen.work.clone());
        let registry = metrics.registry();
        self.core.register(registry);
        self.lists.register(registry);
        let (head, acknowledged) = (self.core.shared().hub.head(), self.acknowledged.subscribe());
        let position = "The position of the last fact of the feed";
        register_read(registry, "feed_head_position", position, {
            let head = head.clone();
            move || Some(number(*head.borrow()))
        });
        let lag = "Facts that invitation-service has not stored yet";
        register_read(registry, "feed_lag_positions", lag, move || {
            let (head, stored) = (*head.borrow(), *acknowledged.borrow());
            Some(number(head.saturating_sub(stored)))
        });
        let feed_lag = Gauge::<f64, AtomicU64>::default();
        let help =
            "For how long the first fact that invitation-service has not stored has been there";
        registry.register("feed_lag_seconds", help, feed_lag.clone());
        let store = Arc::downgrade(self);
        metrics.on_scrape(move || {
            let (store, feed_lag, work) = (store.clone(), feed_lag.clone(), work.clone());
            async move {
                let Some(store) = store.upgrade() else { return };
                let waiting = read!(store, |snapshot| {
                    let waiting = snapshot.waiting(COUNTED_MAX);
                    let waiting = futures::try_join!(waiting, snapshot.begun());
                    waiting.map(|(waiting, begun)| (waiting, begun.now))
                });
                match waiting {
                    Ok((waiting, now)) => {
                        let lag = since(waiting.first_unstored, now);
                        feed_lag.set(lag.to_std().as_secs_f64());
                        work.waits("erasures", backlog(&waiting, now));
                    }
                    Err(error) => tracing::warn!("the store cannot say what waits: {error}"),
                }
            }
        });
    }
}

/// Positions count commits: far fewer than 2⁵³.
#[allow(clippy::cast_precision_loss, reason = "as said")]
fn number(position: u64) -> f64 {
    position as f64
}

fn since(time: Option<Time>, now: Time) -> Span {
    time.map_or(Span::ZERO, |time| now.since(time))
}

fn backlog(waiting: &Waiting, now: Time) -> Backlog {
    Backlog {
        waiting: waiting.erasures,
        lag: since(waiting.first_erasure, now),
    }
}

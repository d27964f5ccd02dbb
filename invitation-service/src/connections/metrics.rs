//! What is shown of following connection-service's feed.
//!
//! Deliberately absent: how far behind the copy is; connection-service knows the head and shows that.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::Registry,
};
use service_kit::metrics::register_read;
use tokio::time::Instant;

use super::follow::Followed;

/// The figures of following. Clones are the same.
#[derive(Debug, Clone, Default)]
pub(super) struct FeedMetrics {
    connected: Gauge,
    breaks: Counter,
    rebuilds: Counter,
    facts: Counter,
    heard: Arc<Mutex<Option<Instant>>>,
}

impl FeedMetrics {
    /// Adds the figures to what is scraped.
    pub(super) fn register(&self, registry: &mut Registry, followed: Followed) {
        let Self {
            connected,
            breaks,
            rebuilds,
            facts,
            heard,
        } = self.clone();
        let help = "1 while connection-service's feed is followed, else 0";
        registry.register("feed_connected", help, connected);
        let help = "How often following the feed broke off";
        registry.register("feed_breaks", help, breaks);
        let help = "How often the copy of connection-service's facts was started anew";
        registry.register("feed_rebuilds", help, rebuilds);
        registry.register("feed_facts", "Facts that came by the feed", facts);
        let help = "Up to where the feed has been followed";
        register_read(registry, "feed_followed_position", help, move || {
            // Positions count commits: far fewer than 2⁵³.
            #[allow(clippy::cast_precision_loss, reason = "as said")]
            let position = followed.borrow().position as f64;
            Some(position)
        });
        let help = "Time since the feed was last heard of; a heartbeat comes every 15 s";
        register_read(registry, "feed_silence_seconds", help, move || {
            let heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            heard.map(|at| at.elapsed().as_secs_f64())
        });
    }

    /// A message came, with so many facts.
    pub(super) fn heard(&self, facts: usize) {
        self.connected.set(1);
        self.facts.inc_by(u64::try_from(facts).unwrap_or(u64::MAX));
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        *heard = Some(Instant::now());
    }

    /// Following ended; `broke`: by itself.
    pub(super) fn ended(&self, broke: bool) {
        self.connected.set(0);
        if broke {
            self.breaks.inc();
        }
    }

    /// The copy is started anew.
    pub(super) fn rebuilds(&self) {
        self.rebuilds.inc();
    }
}

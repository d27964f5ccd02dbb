//! What is shown of the store: its parts, and what waits for the worker.
//!
//! Deliberately absent: anything whose cost grows with what is stored, and the server's own figures, which it shows itself.

use std::sync::Arc;

use service_kit::{
    metrics::work::{Backlog, COUNTED_MAX},
    observability::Observability,
    time::Time,
};

use super::{PostgresStore, due::Due, read};

impl PostgresStore {
    /// Hands in the store's figures.
    pub fn register(self: &Arc<Self>, seen: &mut Observability) {
        let (metrics, work) = (&mut seen.metrics, seen.work.clone());
        let registry = metrics.registry();
        self.core.register(registry);
        self.standings.register(registry);
        let store = Arc::downgrade(self);
        metrics.on_scrape(move || {
            let (store, work) = (store.clone(), work.clone());
            async move {
                let Some(store) = store.upgrade() else { return };
                let due = read!(store, |snapshot| {
                    let due = snapshot.counted_due(COUNTED_MAX);
                    let due = futures::try_join!(due, snapshot.begun());
                    due.map(|((pairs, members), begun)| {
                        (backlog(&pairs, begun.now), backlog(&members, begun.now))
                    })
                });
                match due {
                    Ok((pairs, members)) => {
                        work.waits("pairs", pairs);
                        work.waits("auto_withdrawals", members);
                    }
                    Err(error) => tracing::warn!("the store cannot say what waits: {error}"),
                }
            }
        });
    }
}

fn backlog(due: &Due, now: Time) -> Backlog {
    Backlog {
        waiting: due.count,
        lag: now.since(due.first.unwrap_or(now)),
    }
}

//! What is shown of the store: its parts, and what waits for the worker.
//!
//! Deliberately absent: anything whose cost grows with what is stored.

use std::sync::Arc;

use rusqlite::{Connection, params};
use service_kit::{
    error::StoreError,
    metrics::work::{Backlog, COUNTED_MAX},
    observability::Observability,
    time::Time,
};

use super::SqliteStore;

/// Pairs and members that are due, up to a number; and since when the first of them is.
const DUE_PAIRS: &str = "select count(*), min(due) from (select due from pair_due where due <= ?1 order by due limit ?2)";
const DUE_MEMBERS: &str = "select count(*), min(due) from (select due from member_due where due <= ?1 order by due limit ?2)";

impl SqliteStore {
    /// Hands in the store's figures.
    pub fn register(self: &Arc<Self>, seen: &mut Observability) {
        let (metrics, work) = (&mut seen.metrics, seen.work.clone());
        let registry = metrics.registry();
        self.metrics.register(registry, &self.file);
        self.standings.register(registry);
        self.writer.register_queue(registry);
        self.readers.register_queue(registry);
        let store = Arc::downgrade(self);
        metrics.on_scrape(move || {
            let (store, work) = (store.clone(), work.clone());
            async move {
                let Some(store) = store.upgrade() else { return };
                let due = store.read(|conn, _, now| {
                    Ok((
                        backlog(conn, DUE_PAIRS, now)?,
                        backlog(conn, DUE_MEMBERS, now)?,
                    ))
                });
                match due.await {
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

fn backlog(conn: &Connection, sql: &str, now: Time) -> Result<Backlog, StoreError> {
    let mut statement = conn.prepare_cached(sql)?;
    let (waiting, first) = statement.query_row(params![now.millis(), COUNTED_MAX], |row| {
        Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?))
    })?;
    let first = first.map_or(now, Time::from_millis);
    Ok(Backlog {
        waiting,
        lag: now.since(first),
    })
}

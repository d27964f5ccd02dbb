//! What is shown of the store: its parts, how far the other service follows, and what waits for the worker.
//!
//! Deliberately absent: anything whose cost grows with what is stored.

use prometheus_client::metrics::gauge::Gauge;
use rusqlite::Connection;
use service_kit::error::StoreError;
use service_kit::metrics::register_read;
use service_kit::metrics::work::{Backlog, COUNTED_MAX};
use service_kit::observability::Observability;
use service_kit::time::{Span, Time};

use super::{SqliteStore, read_head};

/// What is asked at each scrape.
struct Asked {
    erasures: Backlog,
    /// For how long the first fact that the other service has not stored has been there.
    feed_lag: Span,
}

impl SqliteStore {
    /// Hands in the store's figures.
    pub fn register(&self, seen: &mut Observability) {
        let (metrics, work) = (&mut seen.metrics, seen.work.clone());
        let shared = &self.shared;
        let registry = metrics.registry();
        shared.metrics.register(registry, &shared.file);
        shared.writer.register_queue(registry);
        shared.readers.register_queue(registry);
        shared.rosters.register(registry);
        let (head, acknowledged) = (shared.hub.head(), shared.acknowledged.clone());
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
        let feed_lag = Gauge::<f64, std::sync::atomic::AtomicU64>::default();
        let help =
            "For how long the first fact that invitation-service has not stored has been there";
        registry.register("feed_lag_seconds", help, feed_lag.clone());
        let store = self.clone();
        metrics.on_scrape(move || {
            let (store, feed_lag, work) = (store.clone(), feed_lag.clone(), work.clone());
            async move {
                let now = store.shared.clock.now();
                match store.shared.readers.read(move |conn| ask(conn, now)).await {
                    Ok(asked) => {
                        feed_lag.set(asked.feed_lag.to_std().as_secs_f64());
                        work.waits("erasures", asked.erasures);
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

fn ask(conn: &Connection, clock: Time) -> Result<Asked, StoreError> {
    let head = read_head(conn)?;
    let now = clock.max(head.last_time);
    let since =
        |time: Option<i64>| time.map_or(Span::ZERO, |time| now.since(Time::from_millis(time)));
    // The first fact after a position, as long as it is kept.
    let first_after = |position: i64| {
        let sql = "select min(time) from (select time from fact where position > ?1 order by position limit 1)";
        conn.prepare_cached(sql)?
            .query_row([position], |row| row.get(0))
    };
    let unstored = first_after(codec_position(head.acknowledged)?)?;
    let (waiting, first) = conn
        .prepare_cached(
            "select count(*), min(position) from (select position from erasure limit ?1)",
        )?
        .query_row([COUNTED_MAX], |row| {
            Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?))
        })?;
    let begun = first
        .map(|position| first_after(position - 1))
        .transpose()?;
    Ok(Asked {
        erasures: Backlog {
            waiting,
            lag: since(begun.flatten()),
        },
        feed_lag: since(unstored),
    })
}

fn codec_position(position: u64) -> Result<i64, StoreError> {
    i64::try_from(position).map_err(StoreError::internal)
}

//! `ImportConnections`: rows as they come are gathered into windows, put in the best order, and stored batch by batch.
//!
//! While a window is stored the next one is gathered, and no more: whoever sends faster than the store takes is kept waiting. Each batch is
//! one command, so that other commands have their turn between two of them. Deliberately absent: reading messages, and the rules.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use service_kit::config::{Findings, Key, Unit};
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::{Context, Failure};
use crate::domain::import::{Outcome, Reason, Report};
use crate::store::{Imported, Store};

/// How long a batch waits when the store has no room for another command.
const STORE_BUSY_WAIT: Duration = Duration::from_millis(50);

/// The bounds of imports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportOptions {
    /// How many imports run at a time. At least 1. Default 2.
    pub open_max: usize,
    /// How many rows are gathered and put in order before they are stored; twice as many are in memory, each some 200 bytes with short ids.
    /// At least 1. Default 250,000.
    pub window_rows_max: usize,
    /// How many rows one commit stores; other commands wait as long as that takes. At least 1. Default 4,000.
    pub batch_rows_max: usize,
    /// How long an import waits for its next message. Default 60 s.
    pub wait_max: Duration,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            open_max: 2,
            window_rows_max: 250_000,
            batch_rows_max: 4_000,
            wait_max: Duration::from_mins(1),
        }
    }
}

impl ImportOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "import.open_max",
                "streams",
                1..=64,
                |o: &mut Self| &mut o.open_max,
                "imports that may run at a time; one more is refused as `OVERLOADED`",
            ),
            Key::count(
                "import.window_rows_max",
                "rows",
                1..=10_000_000,
                |o: &mut Self| &mut o.window_rows_max,
                "rows of an import that are put in order together: more is quicker where stores are large; twice as many are in memory, each \
                 some 200 bytes",
            ),
            Key::count(
                "import.batch_rows_max",
                "rows",
                1..=1_000_000,
                |o: &mut Self| &mut o.batch_rows_max,
                "rows of an import that one commit stores; other commands wait as long as that takes",
            ),
            Key::span(
                "import.wait_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.wait_max,
                "time for which an import waits for its next message",
            ),
        ]
    }

    /// What should be known about the options.
    pub fn check(&self, findings: &mut Findings) {
        if self.window_rows_max < self.batch_rows_max {
            findings.risky(
                &["import.window_rows_max", "import.batch_rows_max"],
                "no more rows are stored by one commit than are gathered, so the larger of the two has no effect",
            );
        }
    }
}

/// A row as it came: with its time between two members, or refused for what it says itself.
pub type Row = Result<Imported, Reason>;

/// A row with its number in the stream.
struct Numbered {
    number: u64,
    row: Imported,
}

/// Imports the rows of `messages` until they end; fails with the first failure among them, or the store's. What was stored until then stays.
pub async fn run<E: From<Failure>>(
    context: &Context,
    messages: impl Stream<Item = Result<Vec<Row>, E>>,
) -> Result<Report, E> {
    let place = context.imports().places.clone().try_acquire_owned();
    let _place = place.map_err(|_| Failure::from(StoreError::Overloaded))?;
    let options = context.imports().options;
    let (windows, to_store) = mpsc::channel(1);
    let storing = store_all(
        context.shared_store(),
        options.batch_rows_max.max(1),
        to_store,
    );
    // Ends with this call, after the batch that is under way.
    let storing = AbortOnDropHandle::new(tokio::spawn(storing));
    let mut refused = Report::default();
    let mut messages = std::pin::pin!(messages);
    let (mut window, mut number) = (Vec::new(), 0);
    while let Some(message) = messages.next().await {
        for row in message? {
            number += 1;
            match row {
                Ok(row) => window.push(Numbered { number, row }),
                Err(reason) => refused.note(number, Outcome::Refused(reason)),
            }
        }
        if window.len() >= options.window_rows_max {
            // Fails only when storing has; why is told at the end.
            if windows.send(std::mem::take(&mut window)).await.is_err() {
                break;
            }
        }
    }
    if !window.is_empty() {
        let _ = windows.send(window).await;
    }
    drop(windows);
    let panicked = |_| Failure::from(StoreError::internal("storing an import panicked"));
    let stored = storing.await.map_err(panicked)?;
    let report = stored.map_err(Failure::from)?.and(refused);
    let (rows, created) = (report.rows(), report.created);
    tracing::info!(rows, created, "connections were imported");
    Ok(report)
}

/// Stores windows as they come; what became of all their rows.
async fn store_all(
    store: Arc<dyn Store>,
    batch_max: usize,
    mut windows: mpsc::Receiver<Vec<Numbered>>,
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    while let Some(mut window) = windows.recv().await {
        // Long enough to keep others waiting for the thread.
        let ordered = tokio::task::spawn_blocking(move || {
            in_best_order(&mut window, batch_max);
            window
        });
        let window = ordered.await.map_err(StoreError::internal)?;
        let mut rows = window.into_iter();
        loop {
            let batch: Vec<_> = rows.by_ref().take(batch_max).collect();
            if batch.is_empty() {
                break;
            }
            let (numbers, batch): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|each| (each.number, each.row))
                .unzip();
            let outcomes = store_batch(&*store, batch.into()).await?;
            for (number, outcome) in numbers.into_iter().zip(outcomes) {
                report.note(number, outcome);
            }
        }
    }
    Ok(report)
}

/// Stores a batch, waiting for room as long as it takes: nothing but this import's own stream is kept waiting by that.
async fn store_batch(
    store: &dyn Store,
    batch: Arc<[Imported]>,
) -> Result<Vec<Outcome>, StoreError> {
    loop {
        match store.import(batch.clone()).await {
            Err(StoreError::Overloaded) => tokio::time::sleep(STORE_BUSY_WAIT).await,
            done => return done,
        }
    }
}

/// Orders rows so that each batch of them concerns few members: the members, in the order of their ids, are taken as that many groups that a
/// batch holds about all rows between two of them. Within a batch rows are in the order of their keys, and of their numbers.
fn in_best_order(window: &mut [Numbered], batch_max: usize) {
    let mut ranks: HashMap<MemberId, u32> = HashMap::new();
    for each in &*window {
        for id in [each.row.key.low(), each.row.key.high()] {
            if !ranks.contains_key(id) {
                ranks.insert(id.clone(), 0);
            }
        }
    }
    let mut ids: Vec<_> = ranks.iter_mut().collect();
    ids.sort_unstable_by_key(|(id, _)| *id);
    // Pairs of n groups are n²/2.
    let groups = (2 * window.len()).div_ceil(batch_max).isqrt().max(1);
    let size = u32::try_from(ids.len().div_ceil(groups).max(1)).unwrap_or(u32::MAX);
    for ((_, rank), place) in ids.into_iter().zip(0..) {
        *rank = place;
    }
    let rank = |id: &MemberId| ranks.get(id).copied().unwrap_or_default();
    window.sort_by_cached_key(|each| {
        let (low, high) = (rank(each.row.key.low()), rank(each.row.key.high()));
        let parts = [low / size, high / size, low, high];
        parts
            .into_iter()
            .fold(0_u128, |key, part| key << 32 | u128::from(part))
    });
}

#[cfg(test)]
mod tests {
    use service_kit::id::PairKey;
    use service_kit::time::Time;

    use super::*;

    fn window(pairs: impl IntoIterator<Item = (u32, u32)>) -> Vec<Numbered> {
        let id = |n: u32| MemberId::parse(&format!("m{n:03}")).unwrap();
        let row = |(one, other)| Imported {
            key: PairKey::new(&id(one), &id(other)).unwrap(),
            connect_time: Time::ZERO,
        };
        let numbered = pairs.into_iter().zip(1..);
        numbered
            .map(|(pair, number)| Numbered {
                number,
                row: row(pair),
            })
            .collect()
    }

    #[test]
    fn a_batch_concerns_few_members_and_nothing_is_lost() {
        // Everybody with everybody, out of order.
        let all = (0..400_u32).flat_map(|one| (0..one).map(move |other| (one, other)));
        let mut pairs: Vec<_> = all.collect();
        pairs.sort_unstable_by_key(|(one, other)| (one * 7_919 + other * 104_729) % 1_009);
        let mut window = window(pairs);
        let batch_max = 500;
        in_best_order(&mut window, batch_max);
        let mut numbers: Vec<_> = window.iter().map(|each| each.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=79_800).collect::<Vec<_>>());
        for batch in window.chunks(batch_max) {
            let keys = batch
                .iter()
                .flat_map(|each| [each.row.key.low(), each.row.key.high()]);
            let members: std::collections::BTreeSet<_> = keys.collect();
            // A square of pairs has 2 × √500 members, and a batch has parts of two squares, or of three on the diagonal. Left as they came, they
            // would name nearly everybody.
            assert!(members.len() <= 92, "{}", members.len());
        }
    }

    #[test]
    fn of_rows_for_one_pair_the_earlier_comes_first() {
        let mut window = window([(2, 1), (3, 4), (1, 2), (5, 6), (2, 1)]);
        in_best_order(&mut window, 2);
        let same = window
            .iter()
            .filter(|each| each.row.key.low().as_str() == "m001");
        let numbers: Vec<_> = same.map(|each| each.number).collect();
        assert_eq!(numbers, [1, 3, 5]);
    }
}

//! `ImportConnections`: rows as they come are gathered into windows, put in the best order, and stored batch by batch.
//!
//! While a window is stored the next one is gathered, and no more: whoever sends faster than the store takes is kept waiting. Each batch is
//! one command, so that other commands have their turn between two of them. Deliberately absent: reading messages, and the rules.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use service_kit::config::{Findings, Key, Unit};
use service_kit::crash;
use service_kit::environment::Executor;
use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey};
use service_kit::time::Time;
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
    /// How many rows are gathered and put in order before they are stored; twice as many are in memory, each 32 bytes, and each of their
    /// members once. At least 1. Default 1,000,000.
    pub window_rows_max: usize,
    /// How many rows one commit stores; other commands wait as long as that takes. At least 1. Default 16,000.
    pub batch_rows_max: usize,
    /// How long an import waits for its next message. Default 60 s.
    pub wait_max: Duration,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            open_max: 2,
            window_rows_max: 1_000_000,
            batch_rows_max: 16_000,
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
                 32 bytes, and each of their members once",
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

/// Rows that are put in order together. Members are numbers, since each of them is in many rows.
#[derive(Default)]
struct Window {
    members: HashMap<MemberId, u32>,
    rows: Vec<WindowRow>,
}

/// A connection of two members, with the row's number in the stream.
struct WindowRow {
    low: u32,
    high: u32,
    connect_time: Time,
    number: u64,
}

impl Window {
    fn push(&mut self, number: u64, row: &Imported) -> Result<(), StoreError> {
        let (low, high) = (self.number(row.key.low())?, self.number(row.key.high())?);
        self.rows.push(WindowRow {
            low,
            high,
            connect_time: row.connect_time,
            number,
        });
        Ok(())
    }

    fn number(&mut self, id: &MemberId) -> Result<u32, StoreError> {
        if let Some(number) = self.members.get(id) {
            return Ok(*number);
        }
        let number = u32::try_from(self.members.len()).map_err(StoreError::internal)?;
        self.members.insert(id.clone(), number);
        Ok(number)
    }
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
        context.imports().executor,
        options.batch_rows_max.max(1),
        to_store,
    );
    // Ends with this call, after the batch that is under way.
    let storing = AbortOnDropHandle::new(tokio::spawn(storing));
    let mut refused = Report::default();
    let mut messages = std::pin::pin!(messages);
    let (mut window, mut number) = (Window::default(), 0);
    while let Some(message) = messages.next().await {
        for row in message? {
            number += 1;
            match row {
                Ok(row) => window.push(number, &row).map_err(Failure::from)?,
                Err(reason) => refused.note(number, Outcome::Refused(reason)),
            }
        }
        if window.rows.len() >= options.window_rows_max {
            // Fails only when storing has; why is told at the end.
            if windows.send(std::mem::take(&mut window)).await.is_err() {
                break;
            }
        }
    }
    if !window.rows.is_empty() {
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
    executor: Executor,
    batch_max: usize,
    mut windows: mpsc::Receiver<Window>,
) -> Result<Report, StoreError> {
    let mut report = Report::default();
    while let Some(window) = windows.recv().await {
        // Long enough to keep others waiting for the thread.
        let ordered = executor.run(move || Ordered::of(window, batch_max)).await;
        let panicked = || StoreError::internal("ordering an import panicked");
        let window = ordered.ok_or_else(panicked)?.ok_or_else(names_nobody)?;
        for batch in window.rows.chunks(batch_max) {
            let rows: Option<Arc<[_]>> = batch.iter().map(|row| window.row(row)).collect();
            let rows = rows.ok_or_else(names_nobody)?;
            let outcomes = store_batch(&*store, rows).await?;
            crash::point("import.committed");
            for (row, outcome) in batch.iter().zip(outcomes) {
                report.note(row.number, outcome);
            }
        }
    }
    Ok(report)
}

fn names_nobody() -> StoreError {
    StoreError::internal("a row of an import names nobody")
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

/// A window in the order in which it is stored. Members are numbers in the order of their ids.
struct Ordered {
    members: Vec<MemberId>,
    rows: Vec<WindowRow>,
}

impl Ordered {
    /// Orders rows so that each batch of them concerns few members: the members, in the order of their ids, are taken as that many groups that
    /// a batch holds about all rows between two of them. Within a batch rows are in the order of their keys, and of their numbers.
    /// `None` for a row whose member the window does not have.
    fn of(Window { members, mut rows }: Window, batch_max: usize) -> Option<Self> {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_unstable();
        let at = |number: u32| usize::try_from(number).ok();
        let mut ranks = vec![0; members.len()];
        for ((_, number), rank) in members.iter().zip(0..) {
            *ranks.get_mut(at(*number)?)? = rank;
        }
        for row in &mut rows {
            row.low = *ranks.get(at(row.low)?)?;
            row.high = *ranks.get(at(row.high)?)?;
        }
        // Pairs of n groups are n²/2.
        let groups = (2 * rows.len()).div_ceil(batch_max).isqrt().max(1);
        let size = u32::try_from(members.len().div_ceil(groups).max(1)).unwrap_or(u32::MAX);
        rows.sort_by_cached_key(|row| {
            [row.low / size, row.high / size, row.low, row.high]
                .into_iter()
                .fold(0_u128, |key, part| key << 32 | u128::from(part))
        });
        let members = members.into_iter().map(|(id, _)| id).collect();
        Some(Self { members, rows })
    }

    /// A row as the store takes it.
    fn row(&self, row: &WindowRow) -> Option<Imported> {
        let member = |rank: u32| self.members.get(usize::try_from(rank).ok()?);
        Some(Imported {
            key: PairKey::new(member(row.low)?, member(row.high)?)?,
            connect_time: row.connect_time,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> MemberId {
        MemberId::parse(&format!("m{number:03}")).unwrap()
    }

    fn ordered(pairs: impl IntoIterator<Item = (u32, u32)>, batch_max: usize) -> Ordered {
        let mut window = Window::default();
        for ((one, other), number) in pairs.into_iter().zip(1..) {
            let key = PairKey::new(&id(one), &id(other)).unwrap();
            let connect_time = Time::ZERO;
            window
                .push(number, &Imported { key, connect_time })
                .unwrap();
        }
        Ordered::of(window, batch_max).unwrap()
    }

    #[test]
    fn a_batch_concerns_few_members_and_nothing_is_lost() {
        // Everybody with everybody, out of order.
        let all = (0..400_u32).flat_map(|one| (0..one).map(move |other| (one, other)));
        let mut pairs: Vec<_> = all.collect();
        pairs.sort_unstable_by_key(|(one, other)| (one * 7_919 + other * 104_729) % 1_009);
        let batch_max = 500;
        let window = ordered(pairs.iter().copied(), batch_max);
        let mut came: Vec<_> = window
            .rows
            .iter()
            .map(|row| (row.number, window.row(row)))
            .collect();
        came.sort_unstable_by_key(|(number, _)| *number);
        for ((number, row), (pair, sent)) in came.into_iter().zip(pairs.iter().zip(1..)) {
            let key = PairKey::new(&id(pair.0), &id(pair.1)).unwrap();
            assert_eq!((number, row.unwrap().key), (sent, key));
        }
        assert_eq!(window.rows.len(), pairs.len());
        for batch in window.rows.chunks(batch_max) {
            let members: std::collections::BTreeSet<_> =
                batch.iter().flat_map(|row| [row.low, row.high]).collect();
            // A square of pairs has 2 × √500 members, and a batch has parts of two squares, or of three on the diagonal. Left as they came, they
            // would name nearly everybody.
            assert!(members.len() <= 92, "{}", members.len());
        }
    }

    #[test]
    fn of_rows_for_one_pair_the_earlier_comes_first() {
        let window = ordered([(2, 1), (3, 4), (1, 2), (5, 6), (2, 1)], 2);
        let of_first = |row: &&WindowRow| window.row(row).unwrap().key.low() == &id(1);
        let same = window.rows.iter().filter(of_first);
        let numbers: Vec<_> = same.map(|row| row.number).collect();
        assert_eq!(numbers, [1, 3, 5]);
    }
}

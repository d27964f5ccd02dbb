//! The second degrees of members who were asked about lately, bounded in bytes.
//!
//! Whoever looks does so under the lock of the graph; a view has a lock of its own, so that one can be worked out while the graph is only
//! read. Deliberately absent: when one is worth having (see `graph`).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hashbrown::HashMap;

use super::index::Index;
use super::second_degree::SecondDegree;

/// One member's second degree.
#[derive(Debug)]
pub(super) struct View {
    counts: Mutex<SecondDegree>,
    used: AtomicU64,
    bytes: AtomicUsize,
}

impl View {
    /// The counts, for as long as the guard is held.
    pub(super) fn counts(&self) -> MutexGuard<'_, SecondDegree> {
        // Nothing that holds the lock can leave the counts half changed but a bug, which the tests against a naive model look for.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [`SecondDegree::advance`].
    pub(super) fn advance(&self, index: &Index, steps: usize) -> bool {
        let mut counts = self.counts();
        let complete = counts.advance(index, steps);
        self.bytes.store(counts.bytes(), Ordering::Relaxed);
        complete
    }

    fn changed(&self, index: &Index, one: u32, other: u32, connected: bool) {
        let mut counts = self.counts();
        counts.changed(index, one, other, connected);
        self.bytes.store(counts.bytes(), Ordering::Relaxed);
    }
}

/// The views, by the member's number.
#[derive(Debug)]
pub(super) struct Views {
    held: HashMap<u32, Arc<View>>,
    /// Counts uses, so that the one used longest ago is known.
    uses: AtomicU64,
    bytes_max: usize,
}

impl Views {
    /// None yet, and never many more than `bytes_max` bytes.
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            held: HashMap::new(),
            uses: AtomicU64::new(0),
            bytes_max,
        }
    }

    /// A member's, which counts as used.
    pub(super) fn get(&self, number: u32) -> Option<Arc<View>> {
        let view = self.held.get(&number)?;
        view.used
            .store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        Some(Arc::clone(view))
    }

    /// Begins one for a member who has none, and makes room: complete ones that were used longest ago go. Those that are being worked
    /// out stay, of which there are few at a time.
    pub(super) fn begin(&mut self, number: u32) {
        self.trim();
        let view = View {
            counts: Mutex::new(SecondDegree::of(number)),
            used: AtomicU64::new(self.uses.fetch_add(1, Ordering::Relaxed)),
            bytes: AtomicUsize::new(0),
        };
        self.held.entry(number).or_insert_with(|| Arc::new(view));
    }

    /// Makes room.
    pub(super) fn trim(&mut self) {
        let mut bytes = self.bytes();
        if bytes <= self.bytes_max {
            return;
        }
        let complete = self
            .held
            .iter()
            .filter(|(_, view)| view.counts().is_complete());
        let mut oldest: Vec<_> = complete
            .map(|(number, view)| (view.used.load(Ordering::Relaxed), *number))
            .collect();
        oldest.sort_unstable();
        for (_, number) in oldest {
            if bytes <= self.bytes_max {
                break;
            }
            if let Some(view) = self.held.remove(&number) {
                bytes = bytes.saturating_sub(view.bytes.load(Ordering::Relaxed));
            }
        }
    }

    /// Drops a member's: their number will be another's.
    pub(super) fn drop_of(&mut self, number: u32) {
        self.held.remove(&number);
    }

    /// Tells those concerned that a connection was made or ended, of which the index knows: the two and their connections.
    pub(super) fn changed(&self, index: &Index, one: u32, other: u32, connected: bool) {
        let near = [one, other].map(|number| index.connections(number));
        if self.held.len() <= near.iter().map(|list| list.len()).sum() {
            for view in self.held.values() {
                view.changed(index, one, other, connected);
            }
            return;
        }
        // Somebody connected to both is told once.
        let mut concerned: Vec<u32> = near.concat();
        concerned.extend([one, other]);
        concerned.sort_unstable();
        concerned.dedup();
        for number in concerned {
            if let Some(view) = self.held.get(&number) {
                view.changed(index, one, other, connected);
            }
        }
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.held
            .values()
            .map(|view| view.bytes.load(Ordering::Relaxed))
            .sum()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }
}

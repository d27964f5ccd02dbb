//! Rosters: the connections of members who have many, in memory, with what lists look at of the others' cards.
//!
//! Finding the card of each of thirty thousand others in the store takes long; a roster keeps what was found and is brought up to date in the
//! snapshot of each read that uses it: by the member's own chain of facts, and by the numbers that cards take when they change. So a read
//! sees what the store holds, as if there were no roster, and a roster may be dropped at any time.
//!
//! A roster is built a chunk at a time, each a read of its own, so that no reader is held for long; what changes meanwhile is brought up to
//! date like any other change. Deliberately absent: reading, and what is in a list (see `domain::connection_list`).

pub(super) mod figures;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::{policy::EvictionPolicy, sync::Cache};
use prometheus_client::registry::Registry;
use service_kit::id::MemberId;
use service_kit::metrics::register_read;
use service_kit::time::Time;

use figures::{Came, RosterFigures};

use crate::domain::connection_list::Candidate;
use crate::domain::list_change::Step;

/// How long a roster that nobody asks for is kept.
const IDLE: Duration = Duration::from_mins(10);
/// What an entry takes beside its texts: the id and three texts with their lengths and headers, the time, a place in the map.
const ENTRY_BYTES: usize = 192;

/// What lists look at of a card, as it is stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) by_first_name: Box<str>,
    pub(super) by_last_name: Box<str>,
    pub(super) words: Box<str>,
}

impl Keys {
    fn bytes(&self) -> usize {
        self.by_first_name.len() + self.by_last_name.len() + self.words.len()
    }
}

/// Somebody a member is connected with.
struct Entry {
    connect_time: Time,
    keys: Keys,
}

/// All connections of a member, as of a moment.
#[derive(Default)]
pub(super) struct Roster {
    /// Every fact up to this position is in it.
    pub(super) position: u64,
    /// Every card whose number is not above this is in it.
    pub(super) cards: u64,
    entries: HashMap<MemberId, Entry>,
    bytes: usize,
}

impl Roster {
    /// An empty one as of a moment, to be filled.
    pub(super) fn new(position: u64, cards: u64) -> Self {
        Self {
            position,
            cards,
            ..Self::default()
        }
    }

    /// Puts a connection in, in place of one with the same member.
    pub(super) fn insert(&mut self, other: MemberId, connect_time: Time, keys: Keys) {
        let apart = ENTRY_BYTES + other.as_str().len();
        self.bytes += apart + keys.bytes();
        let entry = Entry { connect_time, keys };
        if let Some(before) = self.entries.insert(other, entry) {
            self.bytes = self.bytes.saturating_sub(apart + before.keys.bytes());
        }
    }

    /// Takes a connection out, if it is there.
    pub(super) fn remove(&mut self, other: &MemberId) {
        if let Some(before) = self.entries.remove(other) {
            let bytes = ENTRY_BYTES + other.as_str().len() + before.keys.bytes();
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// Replaces what is looked at of a card, if its member is in the roster.
    pub(super) fn put_card(&mut self, member: &MemberId, keys: Keys) {
        if let Some(entry) = self.entries.get_mut(member) {
            self.bytes = (self.bytes + keys.bytes()).saturating_sub(entry.keys.bytes());
            entry.keys = keys;
        }
    }

    /// Follows a step of the member's chain; `keys` are those of the other's card.
    pub(super) fn follow(&mut self, step: Step, keys: Keys) {
        match step.connected {
            Some(since) => self.insert(step.other, since, keys),
            None => self.remove(&step.other),
        }
    }

    /// Offers every connection, in any order.
    pub(super) fn each(&self, mut offer: impl FnMut(&Candidate<'_>)) {
        for (other, Entry { connect_time, keys }) in &self.entries {
            offer(&Candidate {
                other: other.as_str(),
                connect_time: *connect_time,
                by_first_name: &keys.by_first_name,
                by_last_name: &keys.by_last_name,
                words: &keys.words,
            });
        }
    }
}

/// The rosters of a store, those asked for lately, within a bound of memory.
pub(super) struct Rosters {
    cache: Cache<MemberId, Arc<Kept>>,
    figures: RosterFigures,
}

struct Kept {
    roster: Mutex<Roster>,
    /// What it took when it was weighed.
    bytes: AtomicUsize,
}

impl Rosters {
    /// Of at most about `bytes_max` bytes together.
    pub(super) fn new(bytes_max: usize) -> Self {
        let weight = |member: &MemberId, kept: &Arc<Kept>| {
            u32::try_from(member.as_str().len() + kept.bytes.load(Ordering::Relaxed))
                .unwrap_or(u32::MAX)
        };
        let cache = Cache::builder()
            .max_capacity(u64::try_from(bytes_max).unwrap_or(u64::MAX))
            .weigher(weight)
            // By default the cache may turn a new one away, which would be built again for the next call.
            .eviction_policy(EvictionPolicy::lru())
            .time_to_idle(IDLE);
        Self {
            cache: cache.build(),
            figures: RosterFigures::new(),
        }
    }

    /// What came of looking for rosters, and how long building them took.
    pub(super) fn figures(&self) -> &RosterFigures {
        &self.figures
    }

    /// Hands in the figures.
    pub(super) fn register(&self, registry: &mut Registry) {
        self.figures.register(registry);
        let of_cache = |read: fn(&Cache<MemberId, Arc<Kept>>) -> u64| {
            let cache = self.cache.clone();
            move || {
                // Those that were dropped, or are kept no longer, count until the cache has had time for them.
                cache.run_pending_tasks();
                Some(number(read(&cache)))
            }
        };
        let rosters = "Members whose connections are kept in memory for lists by name and searches";
        register_read(registry, "rosters", rosters, of_cache(Cache::entry_count));
        let bytes = "Bytes that rosters take";
        register_read(
            registry,
            "roster_bytes",
            bytes,
            of_cache(Cache::weighted_size),
        );
    }

    /// Works with a member's roster, if there is one. `None` from `work` means that it is of no use any more: it is dropped.
    pub(super) fn with<T, E>(
        &self,
        member: &MemberId,
        work: impl FnOnce(&mut Roster) -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let Some(kept) = self.cache.get(member) else {
            return Ok(None);
        };
        let mut roster = kept.roster.lock().unwrap_or_else(PoisonError::into_inner);
        let worked = work(&mut roster);
        let weighed = kept.bytes.load(Ordering::Relaxed);
        match &worked {
            // Weighed anew when it has grown by an eighth.
            Ok(Some(_)) if roster.bytes > weighed + weighed / 8 => {
                kept.bytes.store(roster.bytes, Ordering::Relaxed);
                drop(roster);
                self.cache.insert(member.clone(), kept);
            }
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => self.cache.invalidate(member),
        }
        if matches!(worked, Ok(Some(_))) {
            self.figures.count(Came::Found);
        }
        worked
    }

    /// Keeps a roster, if there is room for it.
    pub(super) fn keep(&self, member: MemberId, roster: Roster) {
        let bytes = AtomicUsize::new(roster.bytes);
        let roster = Mutex::new(roster);
        self.cache.insert(member, Arc::new(Kept { roster, bytes }));
    }

    /// Drops a member's roster.
    pub(super) fn drop_of(&self, member: &MemberId) {
        self.cache.invalidate(member);
    }
}

/// Sizes are far below 2⁵³.
#[allow(clippy::cast_precision_loss, reason = "as said")]
fn number(size: u64) -> f64 {
    size as f64
}

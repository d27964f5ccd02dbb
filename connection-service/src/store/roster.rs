//! Rosters: the connections of members who have many, in memory, with what lists look at of the others' cards.
//!
//! Finding the card of each of thirty thousand others in the store takes long; a roster keeps what was found and is brought up to date in the
//! snapshot of each read that uses it: by the member's own chain of facts, and by the numbers that cards take when they change. So a read
//! sees what the store holds, as if there were no roster, and a roster may be dropped at any time.
//!
//! A roster is built a chunk at a time, each a read of its own, so that no reader is held for long; what changes meanwhile is brought up to
//! date like any other change. Snapshots that use one may be taken in another order than they come to it in: it is never taken back to an
//! earlier one. Deliberately absent: reading, and what is in a list (see `domain::connection_list`).

mod build;
pub(in crate::store) mod figures;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::{policy::EvictionPolicy, sync::Cache};
use prometheus_client::registry::Registry;
use service_kit::id::MemberId;
use service_kit::metrics::register_read;
use service_kit::time::Time;

pub(in crate::store) use build::Build;
use figures::{Came, RosterFigures};

use crate::domain::connection_list::{Candidate, Filter};
use crate::domain::list_change::Step;
use crate::domain::policy::Policy;

/// How long a roster that nobody asks for is kept.
const IDLE: Duration = Duration::from_mins(10);
/// What an entry takes beside its texts: the id and three texts with their lengths and headers, the time, a place in the map.
const ENTRY_BYTES: usize = 192;

/// What lists look at of a card, as it is stored.
#[derive(Clone, Default, PartialEq, Eq)]
pub(in crate::store) struct Keys {
    pub(in crate::store) by_first_name: Box<str>,
    pub(in crate::store) by_last_name: Box<str>,
    pub(in crate::store) words: Box<str>,
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

/// How far a store has come, as it matters to a roster. Snapshots are ordered: of two, one has neither number lower than the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Moment {
    /// The position of the last fact.
    pub(in crate::store) position: u64,
    /// The number of the last change of a card.
    pub(in crate::store) cards: u64,
}

impl Moment {
    /// Whether so many cards have changed up to `now` that a roster of this moment is better built anew.
    pub(in crate::store) fn is_too_long_before(self, now: Self) -> bool {
        /// How many changes of cards a roster catches up on.
        const CARDS_BEHIND_MAX: u64 = 2_000;
        now.cards.saturating_sub(self.cards) > CARDS_BEHIND_MAX
    }
}

/// What has changed for a roster from one moment to another.
#[derive(Default)]
pub(in crate::store) struct News {
    pub(in crate::store) since: Moment,
    pub(in crate::store) until: Moment,
    /// The steps of the member's chain, in order, each with what is looked at of the other's card; empty for one who left.
    pub(in crate::store) steps: Vec<(Step, Keys)>,
    /// Cards that have changed, each with the number of its last change and what is looked at of it now.
    pub(in crate::store) cards: Vec<(u64, MemberId, Keys)>,
    /// Whose pairs are being removed: their card is gone at once, their connections go in steps.
    pub(in crate::store) severing: Vec<MemberId>,
}

/// All connections of a member, as of a moment.
#[derive(Default)]
pub(in crate::store) struct Roster {
    as_of: Moment,
    entries: HashMap<MemberId, Entry>,
    bytes: usize,
}

impl Roster {
    /// Whether what a filter takes of a member's `connections` is looked for in their roster.
    pub(in crate::store) fn is_used(
        policy: &Policy,
        filter: &Filter,
        looks_at_cards: bool,
        connections: u32,
    ) -> bool {
        // Those with a label lie together, and are read alone.
        looks_at_cards
            && filter.label.is_none()
            && connections >= policy.roster_connections_min
            && policy.roster_bytes_max > 0
    }

    /// The moment that it shows.
    pub(in crate::store) fn as_of(&self) -> Moment {
        self.as_of
    }

    /// Brings it up to the moment that the news are of, if it is not of a later one. Says whether that could be done: not where it is of an
    /// earlier moment than the news go back to.
    pub(in crate::store) fn take_in(&mut self, news: News) -> bool {
        let Moment { position, cards } = self.as_of;
        if position < news.since.position || cards < news.since.cards {
            return false;
        }
        // Another reader may have brought it further already.
        let steps = news.steps.into_iter();
        for (step, keys) in steps.filter(|(step, _)| step.position > position) {
            self.follow(step, keys);
        }
        for (_, member, keys) in news.cards.into_iter().filter(|card| card.0 > cards) {
            self.put_card(&member, keys);
        }
        for erased in news.severing {
            self.put_card(&erased, Keys::default());
        }
        self.as_of = Moment {
            position: position.max(news.until.position),
            cards: cards.max(news.until.cards),
        };
        true
    }

    /// Puts a connection in, in place of one with the same member.
    fn insert(&mut self, other: MemberId, connect_time: Time, keys: Keys) {
        let apart = ENTRY_BYTES + other.as_str().len();
        self.bytes += apart + keys.bytes();
        let entry = Entry { connect_time, keys };
        if let Some(before) = self.entries.insert(other, entry) {
            self.bytes = self.bytes.saturating_sub(apart + before.keys.bytes());
        }
    }

    /// Takes a connection out, if it is there.
    fn remove(&mut self, other: &MemberId) {
        if let Some(before) = self.entries.remove(other) {
            let bytes = ENTRY_BYTES + other.as_str().len() + before.keys.bytes();
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// Replaces what is looked at of a card, if its member is in the roster.
    fn put_card(&mut self, member: &MemberId, keys: Keys) {
        if let Some(entry) = self.entries.get_mut(member) {
            self.bytes = (self.bytes + keys.bytes()).saturating_sub(entry.keys.bytes());
            entry.keys = keys;
        }
    }

    /// Follows a step of the member's chain; `keys` are those of the other's card.
    fn follow(&mut self, step: Step, keys: Keys) {
        match step.connected {
            Some(since) => self.insert(step.other, since, keys),
            None => self.remove(&step.other),
        }
    }

    /// Offers every connection, in any order.
    pub(in crate::store) fn each(&self, mut offer: impl FnMut(&Candidate<'_>)) {
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
pub(in crate::store) struct Rosters {
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
    pub(in crate::store) fn new(bytes_max: usize) -> Self {
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
    pub(in crate::store) fn figures(&self) -> &RosterFigures {
        &self.figures
    }

    /// Hands in the figures.
    pub(in crate::store) fn register(&self, registry: &mut Registry) {
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

    /// The moment that a member's roster shows, if there is one.
    pub(in crate::store) fn as_of(&self, member: &MemberId) -> Option<Moment> {
        let kept = self.cache.get(member)?;
        let roster = kept.roster.lock().unwrap_or_else(PoisonError::into_inner);
        Some(roster.as_of)
    }

    /// Works with a member's roster, if there is one. `None` from `work` means that it is of no use any more: it is dropped.
    pub(in crate::store) fn with<T, E>(
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
    pub(in crate::store) fn keep(&self, member: MemberId, roster: Roster) {
        let bytes = AtomicUsize::new(roster.bytes);
        let roster = Mutex::new(roster);
        self.cache.insert(member, Arc::new(Kept { roster, bytes }));
    }

    /// Drops a member's roster.
    pub(in crate::store) fn drop_of(&self, member: &MemberId) {
        self.cache.invalidate(member);
    }
}

/// Sizes are far below 2⁵³.
#[allow(clippy::cast_precision_loss, reason = "as said")]
fn number(size: u64) -> f64 {
    size as f64
}

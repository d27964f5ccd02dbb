//! What tells repeated sending apart from sending: to whom, and with which note, by hashes that name nobody and say nothing.
//!
//! They are kept by the day, for days only, and never more than so many. Deliberately absent: ids and texts; whoever calls hashes them with
//! a key of the store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::calendar::Day;

/// How many withdrawals are remembered at most. Of more, the oldest of a pair that was withdrawn from once only is forgotten first.
pub const WITHDRAWALS_MAX: usize = 64;

/// How many noted sends are remembered at most; of more, the oldest are forgotten.
pub const NOTES_MAX: usize = 128;

/// The beginning of a keyed hash: enough to tell a few hundred things apart, too little to be looked for anywhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag([u8; 4]);

impl Tag {
    /// The tag of what has this keyed hash.
    pub fn of(hash: &[u8; 16]) -> Self {
        let [a, b, c, d, ..] = *hash;
        Self([a, b, c, d])
    }
}

/// One note, to one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Noted {
    /// The note without differences that nobody reads.
    pub(super) note: Tag,
    /// Inviter and invitee, in this order.
    pub(super) pair: Tag,
}

/// Things of the last days, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Recent<T>(BTreeMap<Day, Vec<T>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Copy + PartialEq> Recent<T> {
    pub(super) fn iter(&self) -> impl Iterator<Item = T> {
        self.0.values().flatten().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets what is not of today and the days before it, `days` in all.
    pub(super) fn forget(&mut self, today: Day, days: u16) {
        self.0 = self.0.split_off(&today.minus(days.saturating_sub(1)));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn push(&mut self, day: Day, thing: T) {
        self.0.entry(day).or_default().push(thing);
    }

    /// Forgets the oldest thing that is like this, if there is one.
    fn forget_first(&mut self, like: impl Fn(&T) -> bool) -> bool {
        for (day, things) in &mut self.0 {
            if let Some(at) = things.iter().position(&like) {
                let day = *day;
                things.remove(at);
                if things.is_empty() {
                    self.0.remove(&day);
                }
                return true;
            }
        }
        false
    }
}

impl Recent<Tag> {
    /// One more withdrawal from a pair.
    pub(super) fn withdrawn(&mut self, today: Day, pair: Tag) {
        self.push(today, pair);
        if self.len() > WITHDRAWALS_MAX {
            let all: Vec<_> = self.iter().collect();
            let once = |pair: &Tag| all.iter().filter(|other| *other == pair).count() == 1;
            if !self.forget_first(once) {
                self.forget_first(|_| true);
            }
        }
    }

    /// How often the pair that was withdrawn from most often was.
    pub(super) fn most_rounds(&self) -> u32 {
        let mut pairs: Vec<_> = self.iter().collect();
        pairs.sort_unstable();
        longest_run(&pairs)
    }
}

impl Recent<Noted> {
    /// One more note to a member. The same to the same member again is remembered as of today.
    pub(super) fn noted(&mut self, today: Day, noted: Noted) {
        self.forget_first(|known| *known == noted);
        self.push(today, noted);
        if self.len() > NOTES_MAX {
            self.forget_first(|_| true);
        }
    }

    /// To how many members the note went that went to most.
    pub(super) fn most_members(&self) -> u32 {
        let mut notes: Vec<_> = self.iter().map(|noted| noted.note).collect();
        notes.sort_unstable();
        longest_run(&notes)
    }
}

/// How often what stands there most often does; equal ones stand together.
fn longest_run(sorted: &[Tag]) -> u32 {
    let longest = sorted.chunk_by(|a, b| a == b).map(<[Tag]>::len).max();
    u32::try_from(longest.unwrap_or(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use service_kit::time::{Span, Time};

    use super::*;

    fn day(n: i64) -> Day {
        Day::of(Time::ZERO.plus(Span::days(20_000 + n)))
    }

    fn tag(n: u32) -> Tag {
        Tag(n.to_be_bytes())
    }

    #[test]
    fn rounds_are_counted_by_the_pair_and_only_of_the_last_days() {
        let mut withdrawals = Recent::default();
        withdrawals.withdrawn(day(0), tag(1));
        withdrawals.withdrawn(day(0), tag(2));
        withdrawals.withdrawn(day(10), tag(1));
        withdrawals.withdrawn(day(29), tag(1));
        assert_eq!(withdrawals.most_rounds(), 3);
        withdrawals.forget(day(29), 30);
        assert_eq!(withdrawals.most_rounds(), 3);
        withdrawals.forget(day(30), 30);
        assert_eq!((withdrawals.most_rounds(), withdrawals.len()), (2, 2));
    }

    #[test]
    fn many_withdrawals_do_not_drive_out_one_that_is_repeated() {
        let mut withdrawals = Recent::default();
        withdrawals.withdrawn(day(0), tag(0));
        withdrawals.withdrawn(day(0), tag(0));
        for other in 1..1_000 {
            withdrawals.withdrawn(day(1), tag(other));
        }
        assert_eq!(withdrawals.len(), WITHDRAWALS_MAX);
        withdrawals.withdrawn(day(2), tag(0));
        assert_eq!(withdrawals.most_rounds(), 3);
    }

    #[test]
    fn withdrawals_are_bounded_also_where_each_is_repeated() {
        let mut withdrawals = Recent::default();
        for pair in 0..1_000 {
            withdrawals.withdrawn(day(0), tag(pair));
            withdrawals.withdrawn(day(0), tag(pair));
        }
        assert_eq!(withdrawals.len(), WITHDRAWALS_MAX);
    }

    #[test]
    fn the_same_note_is_counted_once_for_each_member() {
        let noted = |note, pair| Noted {
            note: tag(note),
            pair: tag(pair),
        };
        let mut notes = Recent::default();
        for pair in 0..5 {
            notes.noted(day(0), noted(7, pair));
            notes.noted(day(1), noted(8, pair % 2));
        }
        assert_eq!((notes.most_members(), notes.len()), (5, 7));
        notes.noted(day(6), noted(7, 0));
        notes.forget(day(7), 7);
        assert_eq!((notes.most_members(), notes.len()), (2, 3));
        for pair in 0..1_000 {
            notes.noted(day(7), noted(9, pair));
        }
        assert_eq!(notes.len(), NOTES_MAX);
        notes.clear();
        assert!(notes.is_empty() && notes.most_members() == 0);
    }
}

//! Member ids as numbers, 0, 1, 2, …, and back.
//!
//! Texts stand in one arena, each after a byte with its length. A released number is given to the next new id; the arena is written anew
//! when a quarter of it belongs to nobody. Deliberately absent: what the numbers stand for.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

/// Marks, in place of where a text starts, a number that nobody has; the other bits are the next such number.
const FREE: u32 = 1 << 31;
/// Ends the list of numbers that nobody has.
const NO_MORE: u32 = FREE - 1;
/// An arena shorter than this is never written anew, in bytes.
const COMPACTED_MIN: usize = 4_096;

/// There are more members, or their ids are longer, than numbers can say: two thousand million.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are more members than can be numbered")]
pub struct Full;

/// Ids and their numbers.
#[derive(Debug)]
pub(super) struct Ids {
    numbers: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Where in the arena the text of each number starts.
    starts: Vec<u32>,
    arena: String,
    /// Bytes of the arena that belong to nobody.
    garbage: usize,
    /// The first number that nobody has.
    free: u32,
}

impl Default for Ids {
    fn default() -> Self {
        Self {
            numbers: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            starts: Vec::new(),
            arena: String::new(),
            garbage: 0,
            free: NO_MORE,
        }
    }
}

impl Ids {
    /// How many ids there are.
    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Every number is below this one.
    pub(super) fn numbers_end(&self) -> usize {
        self.starts.len()
    }

    /// The number of an id.
    pub(super) fn number(&self, id: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        let same = |number: &u32| self.text(*number) == Some(id);
        self.numbers.find(hash, same).copied()
    }

    /// The id of a number.
    pub(super) fn text(&self, number: u32) -> Option<&str> {
        text(&self.arena, *self.starts.get(number as usize)?)
    }

    /// The number of an id, which is given one if it has none. `id` is a member id, so at most 64 bytes of ASCII.
    pub(super) fn number_or_new(&mut self, id: &str) -> Result<u32, Full> {
        if let Some(number) = self.number(id) {
            return Ok(number);
        }
        let length = u8::try_from(id.len()).map_err(|_| Full)?;
        let start = u32::try_from(self.arena.len()).map_err(|_| Full)?;
        if start >= FREE || self.starts.len() >= NO_MORE as usize {
            return Err(Full);
        }
        if self.arena.capacity() - self.arena.len() <= id.len() {
            self.arena
                .reserve_exact((self.arena.len() / 16).max(1 + id.len()));
        }
        self.arena.push(char::from(length));
        self.arena.push_str(id);
        let number = self.place(start)?;
        let (hasher, starts, arena) = (&self.hasher, &self.starts, &self.arena);
        let hash_of = |number: &u32| {
            let start = starts.get(*number as usize);
            hasher.hash_one(
                start
                    .and_then(|start| text(arena, *start))
                    .unwrap_or_default(),
            )
        };
        let _ = self
            .numbers
            .insert_unique(hasher.hash_one(id), number, hash_of);
        Ok(number)
    }

    /// A number for the text at `start`.
    fn place(&mut self, start: u32) -> Result<u32, Full> {
        if self.free == NO_MORE {
            if self.starts.len() == self.starts.capacity() {
                self.starts.reserve_exact((self.starts.len() / 16).max(16));
            }
            self.starts.push(start);
            return u32::try_from(self.starts.len() - 1).map_err(|_| Full);
        }
        let number = self.free;
        let slot = self.starts.get_mut(number as usize).ok_or(Full)?;
        self.free = std::mem::replace(slot, start) & !FREE;
        Ok(number)
    }

    /// Forgets an id; its number will be another's.
    pub(super) fn release(&mut self, number: u32) {
        let Some(id) = self.text(number) else { return };
        let (hash, bytes) = (self.hasher.hash_one(id), 1 + id.len());
        if let Ok(found) = self.numbers.find_entry(hash, |held| *held == number) {
            found.remove();
        }
        if let Some(start) = self.starts.get_mut(number as usize) {
            *start = FREE | self.free;
            self.free = number;
        }
        self.garbage += bytes;
        if self.arena.len() > COMPACTED_MIN && self.garbage > self.arena.len() / 4 {
            self.compact();
        }
    }

    fn compact(&mut self) {
        let used = self.arena.len() - self.garbage;
        let mut arena = String::with_capacity(used + used / 16);
        for start in &mut self.starts {
            let Some(text) = text(&self.arena, *start) else {
                continue;
            };
            // The new arena is no longer than the old one, whose positions fit.
            *start = u32::try_from(arena.len()).unwrap_or(NO_MORE);
            arena.push(char::from(u8::try_from(text.len()).unwrap_or_default()));
            arena.push_str(text);
        }
        self.arena = arena;
        self.garbage = 0;
    }

    /// How many bytes this takes, as far as it knows: without what the allocator adds.
    pub(super) fn bytes(&self) -> usize {
        self.numbers.allocation_size() + 4 * self.starts.capacity() + self.arena.capacity()
    }

    /// How many of [`Self::bytes`] are the texts themselves.
    pub(super) fn text_bytes(&self) -> usize {
        self.arena.len() - self.garbage - self.len()
    }
}

/// The text that starts there; `None` for the mark of a number that nobody has.
fn text(arena: &str, start: u32) -> Option<&str> {
    if start & FREE != 0 {
        return None;
    }
    let start = start as usize;
    let length = usize::from(*arena.as_bytes().get(start)?);
    arena.get(start + 1..start + 1 + length)
}

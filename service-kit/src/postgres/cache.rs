//! Rows of one kind that the commands of a batch have asked for, as they were loaded and as they are now.
//!
//! A row that is asked for and was not loaded yet reads as if there were none, and is noted: whoever runs the commands loads it, and runs
//! them again. Deliberately absent: loading and writing.

use std::collections::BTreeMap;

/// A row as the database has it.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// Which of its versions; 0 where its kind has none.
    pub version: i64,
    /// What it holds.
    pub row: T,
}

/// A row as a command left it.
#[derive(Debug)]
struct Put<T> {
    row: Option<T>,
    /// Which command of the batch did.
    by: usize,
}

/// A row as it was loaded.
#[derive(Debug)]
enum Loaded<T> {
    NotYet,
    Nothing,
    Row(Stored<T>),
}

impl<T> Loaded<T> {
    fn row(&self) -> Option<&Stored<T>> {
        match self {
            Self::Row(stored) => Some(stored),
            Self::NotYet | Self::Nothing => None,
        }
    }
}

#[derive(Debug)]
struct Slot<T> {
    loaded: Loaded<T>,
    put: Option<Put<T>>,
    /// Whether a command asked for it; else it was put as a new one.
    asked: bool,
}

/// What becomes of a row.
#[derive(Debug)]
pub struct Change<'c, T> {
    /// As it was loaded; `None` where there was none.
    pub was: Option<&'c Stored<T>>,
    /// As it is to be; `None` to delete it.
    pub is: Option<&'c T>,
}

/// The rows of one kind.
#[derive(Debug)]
pub struct Cache<K, T>(BTreeMap<K, Slot<T>>);

impl<K, T> Default for Cache<K, T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone, T> Cache<K, T> {
    /// The row as it is now; none where there is none, or where it has yet to be loaded.
    pub fn get(&mut self, key: &K) -> Option<&T> {
        self.ask(key);
        let slot = self.0.get(key)?;
        match &slot.put {
            Some(put) => put.row.as_ref(),
            None => slot.loaded.row().map(|stored| &stored.row),
        }
    }

    /// Has the row loaded with the others.
    pub fn ask(&mut self, key: &K) {
        if self.0.contains_key(key) {
            return;
        }
        let slot = Slot {
            loaded: Loaded::NotYet,
            put: None,
            asked: true,
        };
        self.0.insert(key.clone(), slot);
    }

    /// Keeps a row, or (with `None`) has it deleted. One that was never asked for is new.
    pub fn put(&mut self, key: &K, row: Option<T>, by: usize) {
        let slot = self.0.entry(key.clone()).or_insert(Slot {
            loaded: Loaded::Nothing,
            put: None,
            asked: false,
        });
        slot.put = Some(Put { row, by });
    }

    /// Has the rows deleted that were put or loaded under keys like these.
    pub fn unput(&mut self, like: impl Fn(&K) -> bool, by: usize) {
        for (_, slot) in self.0.iter_mut().filter(|(key, _)| like(key)) {
            if slot.put.is_some() || slot.loaded.row().is_some() {
                slot.put = Some(Put { row: None, by });
            }
        }
    }

    /// Whether a command before this one has put a row under a key like these.
    pub fn was_put(&self, like: impl Fn(&K) -> bool, before: usize) -> bool {
        let put = |slot: &Slot<T>| slot.put.as_ref().is_some_and(|put| put.by < before);
        self.0.iter().any(|(key, slot)| put(slot) && like(key))
    }

    /// Whether it was asked for and has yet to be loaded.
    pub fn is_wanted(&self, key: &K) -> bool {
        self.0
            .get(key)
            .is_some_and(|slot| matches!(slot.loaded, Loaded::NotYet))
    }

    /// What was asked for and has yet to be loaded.
    pub fn wanted(&self) -> impl Iterator<Item = &K> {
        let wanted = |slot: &Slot<T>| matches!(slot.loaded, Loaded::NotYet);
        let slots = self.0.iter().filter(move |(_, slot)| wanted(slot));
        slots.map(|(key, _)| key)
    }

    /// What was loaded.
    pub fn loaded(&self) -> impl Iterator<Item = (&K, &T)> {
        let slots = self.0.iter();
        slots.filter_map(|(key, slot)| Some((key, &slot.loaded.row()?.row)))
    }

    /// Notes that there is no such row, unless one was loaded.
    pub fn load_none(&mut self, key: &K) {
        if let Some(slot) = self
            .0
            .get_mut(key)
            .filter(|slot| slot.loaded.row().is_none())
        {
            slot.loaded = Loaded::Nothing;
        }
    }

    /// Takes what was loaded.
    pub fn load(&mut self, key: &K, stored: Stored<T>) {
        if let Some(slot) = self.0.get_mut(key) {
            slot.loaded = Loaded::Row(stored);
        }
    }

    /// Undoes what was put; what was asked for stays, and what was loaded.
    pub fn reset(&mut self) {
        self.0.retain(|_, slot| {
            slot.put = None;
            slot.asked
        });
    }

    /// Undoes what was put, and has everything loaded again that was asked for.
    pub fn unload(&mut self) {
        // What was put as new is in the database as little as before.
        self.reset();
        for slot in self.0.values_mut() {
            slot.loaded = Loaded::NotYet;
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What is to be written.
    pub fn changes(&self) -> impl Iterator<Item = (&K, Change<'_, T>)> {
        self.0.iter().filter_map(|(key, slot)| {
            let put = slot.put.as_ref()?;
            let was = slot.loaded.row();
            let is = put.row.as_ref();
            (was.is_some() || is.is_some()).then_some((key, Change { was, is }))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(cache: &Cache<u8, &'static str>) -> Vec<u8> {
        cache.wanted().copied().collect()
    }

    #[test]
    fn what_was_asked_for_is_loaded_and_what_was_put_as_new_is_not() {
        let mut cache = Cache::default();
        assert_eq!(cache.get(&1), None);
        cache.put(&1, Some("one"), 1);
        cache.put(&2, Some("two"), 1);
        assert_eq!(cache.get(&1), Some(&"one"));
        assert_eq!(cache.get(&2), Some(&"two"));
        assert_eq!(wanted(&cache), [1]);
        cache.load_none(&1);
        assert!(wanted(&cache).is_empty(), "for this pass");
        cache.unload();
        assert_eq!(wanted(&cache), [1], "and for the next");
        assert_eq!(cache.changes().count(), 0);
    }

    #[test]
    fn a_change_is_what_was_loaded_and_what_was_put() {
        let mut cache = Cache::default();
        for key in [1, 2, 3] {
            cache.ask(&key);
        }
        for key in [1, 2] {
            let stored = Stored {
                version: 7,
                row: "old",
            };
            cache.load(&key, stored);
        }
        cache.load_none(&3);
        cache.put(&2, None, 1);
        cache.put(&3, None, 1);
        cache.put(&4, Some("new"), 1);
        let changes = cache.changes().map(|(key, change)| {
            let version = change.was.map(|was| was.version);
            (*key, version, change.is.copied())
        });
        assert_eq!(
            changes.collect::<Vec<_>>(),
            [(2, Some(7), None), (4, None, Some("new"))],
            "nothing becomes of what was only read, or was never there"
        );
        cache.reset();
        assert_eq!(cache.get(&2), Some(&"old"));
        assert_eq!(cache.get(&4), None);
    }
}

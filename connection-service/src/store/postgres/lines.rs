//! Lines of lists that commands have added and taken off: what is left to write of it at the end.
//!
//! A line that was added and taken off again in one transaction is not written at all. Deliberately absent: reading lists.

use std::collections::BTreeMap;

use service_kit::error::StoreError;

/// What became of a line, as the database will see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Line {
    /// It is there now, and was not.
    Added,
    /// It is there no more.
    TakenOff,
}

struct Changed {
    /// `None`: as it was.
    line: Option<Line>,
    /// Which command of the batch did it last.
    by: usize,
}

/// The changes of one kind of list.
pub(super) struct Lines<K>(BTreeMap<K, Changed>);

impl<K> Default for Lines<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord + Clone> Lines<K> {
    /// Adds a line, which must not be there.
    pub(super) fn add(&mut self, key: K, by: usize) -> Result<(), StoreError> {
        self.change(key, Line::Added, Line::TakenOff, by)
    }

    /// Takes a line off, which must be there.
    pub(super) fn take_off(&mut self, key: K, by: usize) -> Result<(), StoreError> {
        self.change(key, Line::TakenOff, Line::Added, by)
    }

    fn change(&mut self, key: K, to: Line, back: Line, by: usize) -> Result<(), StoreError> {
        let changed = self.0.entry(key).or_insert(Changed { line: None, by });
        changed.line = match changed.line {
            None => Some(to),
            Some(line) if line == back => None,
            Some(_) => return Err(StoreError::corrupt("a line of a list is changed twice")),
        };
        changed.by = by;
        Ok(())
    }

    /// Whether a command before this one has changed a line like these.
    pub(super) fn was_changed(&self, like: impl Fn(&K) -> bool, before: usize) -> bool {
        let mut changed = self.0.iter().filter(|(_, changed)| changed.by < before);
        changed.any(|(key, _)| like(key))
    }

    /// What is to be written, in the order of keys.
    pub(super) fn changes(&self) -> impl Iterator<Item = (&K, Line)> {
        let line = |(key, changed): (_, &Changed)| changed.line.map(|line| (key, line));
        self.0.iter().filter_map(line)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cancels_out_is_not_written() {
        let mut lines = Lines::default();
        for line in ["added", "added and taken off"] {
            lines.add(line, 1).unwrap();
        }
        for line in ["taken off", "taken off and added"] {
            lines.take_off(line, 1).unwrap();
        }
        lines.take_off("added and taken off", 2).unwrap();
        lines.add("taken off and added", 2).unwrap();
        let left: Vec<_> = lines.changes().collect();
        assert_eq!(
            left,
            [(&"added", Line::Added), (&"taken off", Line::TakenOff)]
        );
        assert!(lines.was_changed(|line| *line == "taken off and added", 3));
        assert!(!lines.was_changed(|line| *line == "taken off and added", 2));
    }

    #[test]
    fn no_line_is_added_or_taken_off_twice() {
        let mut lines = Lines::default();
        lines.add(1, 1).unwrap();
        lines.take_off(2, 1).unwrap();
        assert!(matches!(lines.add(1, 1), Err(StoreError::Corrupt(_))));
        assert!(matches!(lines.take_off(2, 1), Err(StoreError::Corrupt(_))));
    }
}

//! What a stretch of the feed did to one member's list of connections.
//!
//! A watch shows how the list is, not each step on the way: of all that happened to one other member within a stretch only the
//! outcome counts, and what appeared and vanished within it is not shown at all. The stretch is derived from the facts alone, so
//! the same stretch always gives the same changes, whatever has happened since: that is what makes a watch resumable in its middle.
//!
//! Deliberately absent: why a connection ended.

use std::collections::HashMap;

use service_kit::id::MemberId;
use service_kit::time::Time;

/// One fact as it concerns a member's list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// The position of the fact.
    pub position: u64,
    /// The other member.
    pub other: MemberId,
    /// Since when the two are connected; `None` when their connection ended.
    pub connected: Option<Time>,
}

/// What became of one other member in the list, at the position of the last step that concerned them.
pub type ListChange = Step;

/// What `steps`, in the order of their positions, did to the list; in the order of the last step that concerned each other member.
pub fn changes(steps: Vec<Step>) -> Vec<ListChange> {
    // Whether the other member was in the list before the first step.
    let mut was_listed: HashMap<MemberId, bool> = HashMap::new();
    let mut last: HashMap<MemberId, u64> = HashMap::new();
    for step in &steps {
        was_listed
            .entry(step.other.clone())
            .or_insert(step.connected.is_none());
        last.insert(step.other.clone(), step.position);
    }
    steps
        .into_iter()
        .filter(|step| last.get(&step.other) == Some(&step.position))
        .filter(|step| step.connected.is_some() || was_listed.get(&step.other) == Some(&true))
        .collect()
}

/// A place in a watch of one member's list: the stretch of the feed that is being shown, and how much of it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The stretch begins after this position.
    pub from: u64,
    /// The stretch ends with this position.
    pub through: u64,
    /// Changes of the stretch up to this position have been shown.
    pub shown: u64,
}

impl Place {
    /// The place where everything up to `position` has been shown.
    pub const fn at(position: u64) -> Self {
        Self {
            from: position,
            through: position,
            shown: position,
        }
    }

    /// Whether part of the stretch may not have been shown yet.
    pub const fn is_within(&self) -> bool {
        self.shown < self.through
    }

    /// Of the changes of the stretch those that have not been shown, each with the place after it. After the last one the whole
    /// stretch has been shown.
    pub fn unshown(self, mut changes: Vec<ListChange>) -> Vec<(Self, ListChange)> {
        changes.retain(|change| change.position > self.shown);
        let last = changes.last().map(|change| change.position);
        let after = |change: ListChange| {
            let place = if Some(change.position) == last {
                Self::at(self.through)
            } else {
                Self {
                    shown: change.position,
                    ..self
                }
            };
            (place, change)
        };
        changes.into_iter().map(after).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, id};
    use super::*;

    fn step(position: u64, other: &str, connected: Option<i64>) -> Step {
        Step {
            position,
            other: id(other),
            connected: connected.map(at),
        }
    }

    #[test]
    fn only_the_outcome_is_shown() {
        let table = [
            (vec![], vec![]),
            (vec![step(1, "b", Some(1))], vec![step(1, "b", Some(1))]),
            (vec![step(1, "b", None)], vec![step(1, "b", None)]),
            // Came and went: never shown.
            (vec![step(1, "b", Some(1)), step(2, "b", None)], vec![]),
            // Was there, is there anew.
            (
                vec![step(1, "b", None), step(2, "b", Some(2))],
                vec![step(2, "b", Some(2))],
            ),
            // Was there, came back, went.
            (
                vec![
                    step(1, "b", None),
                    step(2, "b", Some(2)),
                    step(3, "b", None),
                ],
                vec![step(3, "b", None)],
            ),
            // Ordered by the last step of each.
            (
                vec![
                    step(1, "b", None),
                    step(2, "c", Some(2)),
                    step(3, "b", Some(3)),
                ],
                vec![step(2, "c", Some(2)), step(3, "b", Some(3))],
            ),
        ];
        for (steps, expected) in table {
            assert_eq!(changes(steps.clone()), expected, "{steps:?}");
        }
    }

    #[test]
    fn a_stretch_that_broke_off_goes_on_where_it_was() {
        let stretch = vec![
            step(3, "b", Some(1)),
            step(5, "c", None),
            step(6, "d", None),
        ];
        let place = |shown| Place {
            from: 2,
            through: 7,
            shown,
        };
        let (third, fifth, last) = (place(3), place(5), Place::at(7));
        for (shown, expected) in [
            (2, &[third, fifth, last][..]),
            (3, &[fifth, last]),
            (5, &[last]),
            (6, &[]),
        ] {
            let unshown = place(shown).unshown(stretch.clone());
            let places: Vec<_> = unshown.iter().map(|(place, _)| *place).collect();
            assert_eq!(places, expected, "{shown}");
        }
        assert!(third.is_within() && !last.is_within());
    }
}

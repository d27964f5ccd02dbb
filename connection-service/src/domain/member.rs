//! One member: the counters that have limits, and where their part of the feed ends.
//!
//! Deliberately absent: a profile. A member whom nothing has happened to yet is not stored and counts nothing.

use service_kit::id::{Side, Sides};

use super::pair::Pair;

/// What is counted for a member.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Member {
    /// How many connections they have.
    pub connections: u32,
    /// How many others they have blocked.
    pub blocks: u32,
    /// How many removal marks they have.
    pub removal_marks: u32,
    /// The position of the last fact that names them; 0 for none. Each fact leads to the one before it.
    pub last_fact: u64,
}

/// A member as a decision meets them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Party {
    /// Known, or never heard of.
    Present(Member),
    /// Erased: nothing may be stored about them again.
    Erased,
}

impl Party {
    /// Whether the member was erased.
    pub fn is_erased(&self) -> bool {
        matches!(self, Self::Erased)
    }
}

/// A counter would fall below zero: what is stored contradicts itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a member's counter does not agree with the pairs")]
pub struct Miscounted;

/// Carries the change of a pair over into the counters of its members. `members` is left half changed on [`Miscounted`].
pub fn recount(before: &Pair, after: &Pair, members: &mut Sides<Member>) -> Result<(), Miscounted> {
    for side in Side::BOTH {
        let counters = members.get_mut(side);
        count(
            &mut counters.connections,
            before.connection.is_some(),
            after.connection.is_some(),
        )?;
        count(
            &mut counters.blocks,
            before.blocked.get(side).is_some(),
            after.blocked.get(side).is_some(),
        )?;
        count(
            &mut counters.removal_marks,
            before.removed.get(side).is_some(),
            after.removed.get(side).is_some(),
        )?;
    }
    Ok(())
}

fn count(counter: &mut u32, before: bool, after: bool) -> Result<(), Miscounted> {
    let updated = match (before, after) {
        (false, true) => counter.checked_add(1),
        (true, false) => counter.checked_sub(1),
        (false, false) | (true, true) => Some(*counter),
    };
    *counter = updated.ok_or(Miscounted)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, connected_at};
    use super::*;

    #[test]
    fn counters_follow_the_pair() {
        let blocked = |low: bool, high: bool| Pair {
            blocked: Sides {
                low: low.then_some(at(1)),
                high: high.then_some(at(1)),
            },
            ..Pair::default()
        };
        let marked = Pair {
            removed: Sides {
                low: None,
                high: Some(at(1)),
            },
            ..Pair::default()
        };
        let nothing = Pair::default();
        // Before, after, then connections, blocks and marks of (low, high), all from 5.
        for (before, after, connections, blocks, marks) in [
            (nothing, nothing, (5, 5), (5, 5), (5, 5)),
            (nothing, connected_at(1), (6, 6), (5, 5), (5, 5)),
            (connected_at(1), connected_at(2), (5, 5), (5, 5), (5, 5)),
            (connected_at(1), nothing, (4, 4), (5, 5), (5, 5)),
            (
                connected_at(1),
                blocked(true, false),
                (4, 4),
                (6, 5),
                (5, 5),
            ),
            (
                blocked(true, false),
                blocked(false, true),
                (5, 5),
                (4, 6),
                (5, 5),
            ),
            (nothing, marked, (5, 5), (5, 5), (5, 6)),
            (marked, nothing, (5, 5), (5, 5), (5, 4)),
        ] {
            let five = Member {
                connections: 5,
                blocks: 5,
                removal_marks: 5,
                last_fact: 9,
            };
            let mut members = Sides {
                low: five,
                high: five,
            };
            assert_eq!(recount(&before, &after, &mut members), Ok(()));
            let of = |f: fn(&Member) -> u32| (f(&members.low), f(&members.high));
            assert_eq!(of(|m| m.connections), connections, "{before:?} {after:?}");
            assert_eq!(of(|m| m.blocks), blocks, "{before:?} {after:?}");
            assert_eq!(of(|m| m.removal_marks), marks, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_counter_below_zero_is_noticed() {
        let mut members = Sides::default();
        assert_eq!(
            recount(&connected_at(1), &Pair::default(), &mut members),
            Err(Miscounted)
        );
    }
}

//! The state between two members: the unit of every decision.
//!
//! Deliberately absent: who the two are (the key says it) and anything about one member alone.

use service_kit::id::{Side, Sides};
use service_kit::time::{Span, Time};
use uuid::Uuid;

use super::fact::PairFacts;

/// A connection of two members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection {
    /// The moment it was made.
    pub connect_time: Time,
    /// The invitation whose acceptance made it; `None` when it came about in another way.
    pub invitation: Option<Uuid>,
}

/// All that holds between two members. What nothing holds between is not stored.
///
/// Invariant: a connected pair has no block.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Pair {
    /// The connection, if there is one.
    pub connection: Option<Connection>,
    /// Since when each side has blocked the other.
    pub blocked: Sides<Option<Time>>,
    /// When each side last removed the other (or lifted a block), as long as it stands against earlier acceptances.
    pub removed: Sides<Option<Time>>,
}

impl Pair {
    /// Whether nothing holds between the two.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether either side has blocked the other.
    pub fn is_blocked(&self) -> bool {
        Side::BOTH
            .iter()
            .any(|&side| self.blocked.get(side).is_some())
    }

    /// Whether either side removed the other at `accept_time` or later, less than `kept` before `now`.
    ///
    /// Of an acceptance and a removal in the same millisecond the removal wins: nobody is connected against their will, and an
    /// invitation can be sent again.
    pub fn removed_since(&self, accept_time: Time, kept: Span, now: Time) -> bool {
        Side::BOTH
            .iter()
            .filter_map(|&side| *self.removed.get(side))
            .any(|removed| removed >= accept_time && now.since(removed) < kept)
    }

    /// What the feed says of the pair while both members exist.
    pub fn facts(&self) -> PairFacts {
        PairFacts {
            connection: self.connection,
            blocked: Sides {
                low: self.blocked.low.is_some(),
                high: self.blocked.high.is_some(),
            },
            erased: Sides::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::at;
    use super::*;

    #[test]
    fn a_removal_stands_against_what_was_accepted_before_it_for_a_while() {
        let kept = Span::millis(100);
        let removed = |low: Option<i64>, high: Option<i64>| Pair {
            removed: Sides {
                low: low.map(at),
                high: high.map(at),
            },
            ..Pair::default()
        };
        for (pair, accepted, now, stands) in [
            (removed(None, None), 0, 50, false),
            (removed(Some(50), None), 49, 60, true),
            (removed(Some(50), None), 50, 60, true),
            (removed(Some(50), None), 51, 60, false),
            (removed(None, Some(50)), 50, 60, true),
            (removed(Some(10), Some(50)), 50, 60, true),
            (removed(Some(50), Some(10)), 20, 60, true),
            (removed(Some(50), None), 40, 149, true),
            (removed(Some(50), None), 40, 150, false),
        ] {
            assert_eq!(
                pair.removed_since(at(accepted), kept, at(now)),
                stands,
                "{pair:?} {accepted} {now}"
            );
        }
    }
}

//! What the feed says: a change of what holds between two members, or the erasure of one.
//!
//! The one feed serves invitation-service, which keeps a copy of the facts, and the public watches, which are shown less.
//! Deliberately absent: positions' bookkeeping and who reads.

use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::time::Time;

use super::pair::{Connection, Pair};

/// What holds between two members.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct PairFacts {
    /// The connection, if there is one.
    pub connection: Option<Connection>,
    /// Whether each side has blocked the other.
    pub blocked: Sides<bool>,
    /// Whether each side was erased. If either was, nothing else holds.
    pub erased: Sides<bool>,
}

impl PairFacts {
    /// The facts of a pair whose sides may have been erased: nothing holds with an erased member, whatever is still stored.
    pub fn of(pair: &Pair, erased: Sides<bool>) -> Self {
        if erased.low || erased.high {
            Self {
                erased,
                ..Self::default()
            }
        } else {
            pair.facts()
        }
    }

    /// Whether nothing holds and neither was erased.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What happened to a pair.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PairEvent {
    /// The two were connected.
    Connected,
    /// One of them ended the connection.
    Removed,
    /// One blocked the other, which ended any connection.
    Blocked,
    /// One lifted a block.
    Unblocked,
    /// The connection ended because one of them was erased. The fact of the erasure itself came before.
    Severed,
}

/// A fact to be appended to the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fact {
    /// Something happened to a pair.
    Pair {
        /// Between whom.
        key: PairKey,
        /// What.
        event: PairEvent,
        /// What holds from there on.
        after: PairFacts,
        /// The connection that this ended.
        ended: Option<Connection>,
    },
    /// A member was erased.
    Erased(MemberId),
}

impl Fact {
    /// The fact of `event`, which led from `before` to `after`.
    pub fn of_pair(key: &PairKey, event: PairEvent, before: &Pair, after: &Pair) -> Self {
        Self::Pair {
            key: key.clone(),
            event,
            after: after.facts(),
            ended: before.connection.filter(|_| after.connection.is_none()),
        }
    }
}

/// What is kept at a position of the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// The fact.
    Fact(Fact),
    /// The fact named a member who has been erased since, and lost its content when the erasure was complete.
    Blank {
        /// Whether it was the end of a connection by that erasure, which only the public watches show.
        severed: bool,
    },
}

/// A position of the feed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// 1, 2, 3, … in the order of commits.
    pub position: u64,
    /// When it was committed.
    pub time: Time,
    /// What is kept there.
    pub kept: Kept,
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, connected_at, key};
    use super::*;

    #[test]
    fn nothing_holds_with_an_erased_member() {
        let pair = connected_at(1);
        let erased = Sides {
            low: false,
            high: true,
        };
        assert_eq!(PairFacts::of(&pair, Sides::default()), pair.facts());
        let facts = PairFacts::of(&pair, erased);
        assert_eq!((facts.connection, facts.erased), (None, erased));
        assert!(!facts.is_empty());
    }

    #[test]
    fn a_fact_names_the_connection_it_ended() {
        let (nothing, connected) = (Pair::default(), connected_at(7));
        for (before, after, ended) in [
            (nothing, connected, None),
            (connected, nothing, Some(at(7))),
            (nothing, nothing, None),
        ] {
            let fact = Fact::of_pair(&key("a", "b"), PairEvent::Removed, &before, &after);
            let Fact::Pair { ended: found, .. } = fact else {
                unreachable!("a fact of a pair")
            };
            assert_eq!(found.map(|c| c.connect_time), ended);
        }
    }
}

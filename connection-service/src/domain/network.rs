//! What there is between members beyond the connections that they have themselves.
//!
//! Deliberately absent: how it is found: in memory (see `graph`) or in the store, which must agree.

use service_kit::id::{MemberId, Sides};

use super::fact::PairFacts;

/// What two members are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tie {
    /// Nothing.
    None,
    /// Connected.
    Connected,
    /// One of the two has blocked the other, or both have: they are hidden from each other.
    Hidden,
}

impl Tie {
    /// What the facts of a pair come to.
    pub fn of(facts: &PairFacts) -> Self {
        if facts.erased != Sides::default() {
            Self::None
        } else if facts.blocked != Sides::default() {
            Self::Hidden
        } else if facts.connection.is_some() {
            Self::Connected
        } else {
            Self::None
        }
    }
}

/// How far apart two members are, along connections. With a block between them, either way, they are as far apart as strangers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Degree {
    /// Connected.
    First,
    /// A connection of both connects them.
    Second,
    /// A connection of one is connected to a connection of the other.
    Third,
    /// None of these.
    Further,
}

/// What there is between two members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// What they are to each other.
    pub tie: Tie,
    /// How far apart they are.
    pub degree: Degree,
    /// How many connections they have in common, where that was asked.
    pub mutual_count: Option<u32>,
}

impl Between {
    /// Between strangers who know nobody in common.
    pub fn strangers(with_mutual_count: bool) -> Self {
        Self {
            tie: Tie::None,
            degree: Degree::Further,
            mutual_count: with_mutual_count.then_some(0),
        }
    }

    /// Between two who are hidden from each other: as between strangers, but for the tie, which neither must be told of unless it is their own.
    pub fn hidden(with_mutual_count: bool) -> Self {
        Self {
            tie: Tie::Hidden,
            ..Self::strangers(with_mutual_count)
        }
    }
}

/// A page of the connections that two members have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MutualPage {
    /// By id.
    pub members: Vec<MemberId>,
    /// Whether more follow.
    pub more: bool,
    /// How many there are in all.
    pub total: u32,
}

/// Somebody whom a member may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Who.
    pub member: MemberId,
    /// How many connections the two have in common; at least one.
    pub mutual_count: u32,
    /// The first of these by id, at most [`SHOWN_MAX`].
    pub shown: Vec<MemberId>,
}

/// How many of the connections in common are named with a suggestion, at most.
pub const SHOWN_MAX: usize = 3;

/// A page of suggestions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SuggestionPage {
    /// Those with most connections in common first; among equals by id.
    pub suggestions: Vec<Suggestion>,
    /// Whether more follow.
    pub more: bool,
}

/// The suggestion that a page begins after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggested {
    /// How many connections in common it had.
    pub mutual_count: u32,
    /// Who.
    pub member: MemberId,
}

impl Suggested {
    /// Whether somebody comes after this one.
    pub fn is_before(&self, mutual_count: u32, member: &str) -> bool {
        mutual_count < self.mutual_count
            || mutual_count == self.mutual_count && member > self.member.as_str()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::connected_at;
    use super::*;

    #[test]
    fn a_tie_is_a_connection_or_a_block_with_nobody_erased() {
        let side = |low, high| Sides { low, high };
        let connected = connected_at(1).facts();
        let neither = side(false, false);
        let nothing = PairFacts::default();
        for (facts, blocked, erased, tie) in [
            (nothing, neither, neither, Tie::None),
            (connected, neither, neither, Tie::Connected),
            (nothing, side(true, false), neither, Tie::Hidden),
            (nothing, side(false, true), neither, Tie::Hidden),
            (nothing, side(true, true), neither, Tie::Hidden),
            (nothing, neither, side(true, false), Tie::None),
            (connected, neither, side(false, true), Tie::None),
        ] {
            let facts = PairFacts {
                blocked,
                erased,
                ..facts
            };
            assert_eq!(Tie::of(&facts), tie, "{facts:?}");
        }
    }

    #[test]
    fn suggestions_come_by_connections_in_common_then_by_id() {
        let last = Suggested {
            mutual_count: 5,
            member: MemberId::parse("m").unwrap(),
        };
        for (mutual_count, member, after) in [
            (6, "z", false),
            (5, "a", false),
            (5, "m", false),
            (5, "n", true),
            (4, "a", true),
        ] {
            assert_eq!(
                last.is_before(mutual_count, member),
                after,
                "{mutual_count} {member}"
            );
        }
    }
}

//! What may happen between two members, and what their lists show, as pure functions over values.
//!
//! A command is decided on its pair by a function `decide(pair, parties, …, now)`, which changes the pair when it succeeds and
//! leaves it as it was when it refuses. Everything else (counters, lists, the feed) follows from the pair before and after.
//!
//! Deliberately absent: the wire, the store, the clock, and anything that can fail for another reason than a rule.

pub mod annotation;
pub mod block;
pub mod card;
pub mod connection_list;
pub mod ensure;
pub mod erase;
pub mod fact;
pub mod folding;
pub mod import;
pub mod label;
pub mod list_change;
pub mod member;
pub mod network;
pub mod pair;
pub mod policy;
pub mod refusal;
pub mod remove;
pub mod search;

#[cfg(test)]
pub(crate) mod fixtures {
    //! Names and times that the tables of all rooms share.

    #![allow(clippy::unwrap_used)]

    use service_kit::id::{MemberId, PairKey, Sides};
    use service_kit::time::Time;

    use super::member::{Member, Party};
    use super::pair::{Connection, Pair};

    pub(crate) fn id(text: &str) -> MemberId {
        MemberId::parse(text).unwrap()
    }

    pub(crate) fn key(a: &str, b: &str) -> PairKey {
        PairKey::new(&id(a), &id(b)).unwrap()
    }

    pub(crate) const fn at(millis: i64) -> Time {
        Time::from_millis(millis)
    }

    /// Two members of whom nothing is known yet.
    pub(crate) fn strangers() -> Sides<Party> {
        Sides {
            low: Party::Present(Member::default()),
            high: Party::Present(Member::default()),
        }
    }

    pub(crate) fn connected_at(millis: i64) -> Pair {
        Pair {
            connection: Some(Connection {
                connect_time: at(millis),
                invitation: None,
            }),
            ..Pair::default()
        }
    }
}

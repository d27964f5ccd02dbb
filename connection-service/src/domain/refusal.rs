//! Why a rule says no.
//!
//! Deliberately absent: malformed requests (the edge refuses them before a rule is asked), faults of the store, and words for the
//! wire.

/// A refusal; the order is the precedence: when several apply, the first is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Refusal {
    /// The page or resume token is not one of this method, member and store.
    #[error("the token is not one of this query")]
    InvalidToken,
    /// The member who acts was erased.
    #[error("there is no such member")]
    MemberNotFound,
    /// Both members are the same.
    #[error("both members are the same")]
    SelfReference,
    /// The member blocks as many others as are allowed.
    #[error("the member has blocked as many others as are allowed")]
    BlockLimitReached {
        /// How many that is.
        blocks_max: u32,
    },
    /// What comes after the position is no longer kept.
    #[error("what comes after the position is no longer kept")]
    TokenTooOld,
    /// The position belongs to another history of the store.
    #[error("the position belongs to another history of the store")]
    OtherIncarnation {
        /// Up to and with this position the two histories are the same.
        common_position: u64,
    },
}

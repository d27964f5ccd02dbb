//! Why a rule says no.
//!
//! Deliberately absent: malformed requests (the edge refuses them before a rule is asked), faults of the store, and words for the
//! wire.

use super::annotation::LabelLimit;

/// A refusal; the order is the precedence: when several apply, the first is answered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, thiserror::Error)]
pub enum Refusal {
    /// The page or resume token is not one of this method, member and store.
    #[error("the token is not one of this query")]
    InvalidToken,
    /// The member who acts was erased.
    #[error("there is no such member")]
    MemberNotFound,
    /// The two are not connected.
    #[error("the two are not connected")]
    ConnectionNotFound,
    /// The member has no such label.
    #[error("the member has no such label")]
    LabelNotFound,
    /// Both members are the same.
    #[error("both members are the same")]
    SelfReference,
    /// The member has another label of the new text.
    #[error("the member has another label of this text")]
    LabelExists,
    /// The connection, or the member, has as many labels as are allowed.
    #[error("there are as many labels as are allowed")]
    LabelLimitReached {
        /// Whose labels.
        of: LabelLimit,
    },
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

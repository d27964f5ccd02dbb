//! How large the parts of messages become at most, so that the configuration can be checked for whether full requests and answers fit.
//!
//! In bytes, with their tags and lengths; bounds, a little above what the fullest takes. Deliberately absent: what a message has but once,
//! for which [`REST`] stands.

use crate::domain::policy::Policy;

/// What a message has beside its list: the member, counts, a position, a token.
pub const REST: usize = 2_048;
/// The id of a member in a list of a request.
pub const MEMBER_ID: usize = 66;
/// What is answered about one member: a connection, a block, or what is between the two.
pub const ENTRY: usize = 104;
/// The tag and the length of one element of a list.
pub const FIELD: usize = 6;
/// A suggestion.
pub const SUGGESTION: usize = 288;
/// A pair that invitation-service asks about.
pub const PAIR: usize = 136;
/// A fact of the feed, or all facts of a pair in a list.
pub const FACT: usize = 224;

/// A card with the longest texts, in a list.
pub const fn card(policy: &Policy) -> usize {
    // Four bytes for each scalar value, which has no more of them in UTF-8.
    MEMBER_ID + 16 + 4 * (2 * policy.name_chars_max + policy.headline_chars_max)
}

/// What became of one card of a batch.
pub const fn put_result(policy: &Policy) -> usize {
    MEMBER_ID + 8 + card(policy)
}

/// A label with its count.
pub const fn label(policy: &Policy) -> usize {
    policy.label_chars_max.saturating_mul(4).saturating_add(16)
}

/// All that a member may note about one connection.
pub const fn noted(policy: &Policy) -> usize {
    let labels = label(policy).saturating_mul(policy.connection_labels_max as usize);
    let note = policy.private_note_chars_max.saturating_mul(4);
    labels.saturating_add(note).saturating_add(FIELD)
}

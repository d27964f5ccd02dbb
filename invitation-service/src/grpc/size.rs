//! How large the parts of messages become at most, so that the configuration can be checked for whether full requests and answers fit.
//!
//! In bytes, with their tags and lengths; bounds, a little above what the fullest takes. Deliberately absent: what a message has but once,
//! for which [`REST`] stands.

use crate::domain::policy::Policy;

/// What a message has beside its list: the member, counts, times, a token.
pub const REST: usize = 2_048;
/// The id of an invitation in a list of a request.
pub const INVITATION_ID: usize = 38;
/// The id of a member in a list of a request.
pub const MEMBER_ID: usize = 66;
/// What is answered about one member of a look-up: of whose invitation waits, or of whether one could be sent, which takes less.
pub const STATE: usize = 112;

/// An invitation with the longest note and source.
pub const fn invitation(policy: &Policy) -> usize {
    // Four bytes for each scalar value of a note, which has no more of them in UTF-8; one for each character of a source.
    256 + 4 * policy.note_chars_max + policy.source_chars_max
}

/// What became of one invitation of a batch.
pub const fn result(policy: &Policy) -> usize {
    /// A refusal: a code, a reason, a sentence, and a few short values.
    const REFUSAL: usize = 1_024;
    let invitation = invitation(policy);
    64 + if invitation > REFUSAL {
        invitation
    } else {
        REFUSAL
    }
}

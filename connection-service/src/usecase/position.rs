//! Whether a position that a follower names belongs to this store.
//!
//! Deliberately absent: what the follower does when it does not.

use service_kit::epoch::EpochId;

use super::Failure;
use crate::domain::refusal::Refusal;
use crate::store::{FeedState, Store};

/// Checks that `position` was reached in the history `incarnation` and that the store still goes on from it. Refuses with
/// [`Refusal::OtherIncarnation`].
pub(super) fn check(
    store: &dyn Store,
    state: FeedState,
    incarnation: &EpochId,
    position: u64,
) -> Result<(), Failure> {
    let common = match store.check_epoch(incarnation, position) {
        Ok(()) if position <= state.head => return Ok(()),
        Ok(()) => state.head,
        Err(diverged) => diverged.common_position,
    };
    Err(Refusal::OtherIncarnation {
        common_position: common,
    }
    .into())
}

//! `AcknowledgeFacts`: the other service says how far it has stored the feed.
//!
//! Deliberately absent: more than one follower.

use service_kit::crash;
use service_kit::epoch::EpochId;

use super::{Context, Failure, position};

/// Notes that everything up to `reached` was stored. Refuses with
/// [`OtherIncarnation`](crate::domain::refusal::Refusal::OtherIncarnation).
pub async fn run(context: &Context, incarnation: EpochId, reached: u64) -> Result<(), Failure> {
    let state = context.store.feed_state().await?;
    position::check(&**context.store(), state, &incarnation, reached)?;
    context.store.acknowledge(reached).await?;
    crash::point("acknowledge.committed");
    Ok(())
}

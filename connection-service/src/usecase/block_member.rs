//! `BlockMember`: ends everything between two members and hides them from each other.
//!
//! Deliberately absent: telling the other side.

use service_kit::crash;
use service_kit::id::MemberId;

use super::{Context, Failure, acting};

/// Blocks. Answers when the other service knows, or after a moment. Refuses with
/// [`MemberNotFound`](crate::domain::refusal::Refusal::MemberNotFound),
/// [`SelfReference`](crate::domain::refusal::Refusal::SelfReference) and
/// [`BlockLimitReached`](crate::domain::refusal::Refusal::BlockLimitReached).
pub async fn run(context: &Context, member: &MemberId, other: &MemberId) -> Result<(), Failure> {
    let act = acting::act(context, member, other).await?;
    let acted = context.store.block_member(act).await??;
    crash::point("block.committed");
    acting::acknowledgement(context, acted.fact).await;
    crash::point("block.acknowledged");
    Ok(())
}

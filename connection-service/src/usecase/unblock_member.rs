//! `UnblockMember`: lifts a block.
//!
//! Deliberately absent: restoring what the block had ended, and waiting: what a block forbids may stay forbidden a moment longer.

use service_kit::crash;
use service_kit::id::MemberId;

use super::{Context, Failure, acting};

/// Unblocks. Refuses with [`MemberNotFound`](crate::domain::refusal::Refusal::MemberNotFound) and
/// [`SelfReference`](crate::domain::refusal::Refusal::SelfReference).
pub async fn run(context: &Context, member: &MemberId, other: &MemberId) -> Result<(), Failure> {
    let act = acting::act(context, member, other).await?;
    context.store.unblock_member(act).await??;
    crash::point("unblock.committed");
    Ok(())
}

//! `DismissSuggestion`: leaves somebody out of a member's suggestions.
//!
//! Deliberately absent: telling the other side, and taking it back.

use service_kit::crash;
use service_kit::id::MemberId;

use super::{Context, Failure, acting};

/// Dismisses. Refuses with [`MemberNotFound`](crate::domain::refusal::Refusal::MemberNotFound) and
/// [`SelfReference`](crate::domain::refusal::Refusal::SelfReference).
pub async fn run(context: &Context, member: &MemberId, other: &MemberId) -> Result<(), Failure> {
    let act = acting::act(context, member, other).await?;
    context.store.dismiss_suggestion(act).await??;
    crash::point("dismiss.committed");
    Ok(())
}

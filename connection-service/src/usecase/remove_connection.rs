//! `RemoveConnection`: one side ends the connection, or stands against one that is on its way.
//!
//! Deliberately absent: telling the other side.

use service_kit::crash;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::{Context, Failure, acting};

/// Removes; with `only`, only the connection made at that moment. Since when the connection was that ended, if there was one. Answers when the other service knows, or after a moment.
/// Refuses with [`MemberNotFound`](crate::domain::refusal::Refusal::MemberNotFound) and
/// [`SelfReference`](crate::domain::refusal::Refusal::SelfReference).
pub async fn run(
    context: &Context,
    member: &MemberId,
    other: &MemberId,
    only: Option<Time>,
) -> Result<Option<Time>, Failure> {
    let act = acting::act(context, member, other).await?;
    let acted = context.store.remove_connection(act, only).await??;
    crash::point("remove.committed");
    acting::acknowledgement(context, acted.fact).await;
    crash::point("remove.acknowledged");
    Ok(acted.ended)
}

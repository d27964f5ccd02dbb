//! `UpdateConnection`: a member gives one of their connections labels and a private note.
//!
//! Deliberately absent: telling anybody. What is noted is the member's alone.

use service_kit::crash;
use service_kit::id::MemberId;

use super::{Context, Failure, acting};
use crate::domain::annotation::Change;
use crate::store::ConnectionLine;

/// Changes what `member` has noted about the connection with `other`; the connection as they see it then. Refuses with
/// [`MemberNotFound`](crate::domain::refusal::Refusal::MemberNotFound),
/// [`ConnectionNotFound`](crate::domain::refusal::Refusal::ConnectionNotFound),
/// [`SelfReference`](crate::domain::refusal::Refusal::SelfReference) and
/// [`LabelLimitReached`](crate::domain::refusal::Refusal::LabelLimitReached).
pub async fn run(
    context: &Context,
    member: &MemberId,
    other: &MemberId,
    change: Change,
) -> Result<ConnectionLine, Failure> {
    let act = acting::act(context, member, other).await?;
    let updated = context.store.update_connection(act, change).await??;
    crash::point("update.committed");
    Ok(updated)
}

//! What the acts of one member on another have in common: who is meant, and when the act is answered.
//!
//! Deliberately absent: the acts.

use std::time::Duration;

use service_kit::id::MemberId;

use super::{Context, Failure};
use crate::domain::refusal::Refusal;
use crate::store::Act;

/// `member` acting on `other`. Refuses with [`Refusal::MemberNotFound`] and [`Refusal::SelfReference`].
pub(super) async fn act(
    context: &Context,
    member: &MemberId,
    other: &MemberId,
) -> Result<Act, Failure> {
    if let Some(act) = Act::new(member, other) {
        return Ok(act);
    }
    // That the member does not exist is said first.
    if context.store.is_erased(member.clone()).await? {
        return Err(Refusal::MemberNotFound.into());
    }
    Err(Refusal::SelfReference.into())
}

/// Waits until the other service has stored the fact at `position`, but only a moment: an act does not fail because the other
/// service is away.
pub(super) async fn acknowledgement(context: &Context, position: u64) {
    let wait: Duration = context.policy.acknowledgement_wait.to_std();
    let mut acknowledged = context.store.acknowledged();
    // Either way the act is done; a closed channel means that the store is closing.
    let _ = tokio::time::timeout(wait, acknowledged.wait_for(|at| *at >= position)).await;
}

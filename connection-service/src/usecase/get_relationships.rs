//! `GetRelationship` and `BatchGetRelationships`: what a member is to others, as that member may see it.
//!
//! Deliberately absent: blocks by the other side, which read as nothing.

use service_kit::id::MemberId;

use super::{Context, Failure};
use crate::domain::refusal::Refusal;
use crate::store::Relationship;

/// What each of `others` is to `member`, in their order. Refuses with [`Refusal::SelfReference`].
pub async fn run(
    context: &Context,
    member: MemberId,
    others: Vec<MemberId>,
) -> Result<Vec<Relationship>, Failure> {
    if others.contains(&member) {
        return Err(Refusal::SelfReference.into());
    }
    Ok(context.store.relationships(member, others).await?)
}

//! `ListLabels`, `RenameLabel` and `DeleteLabel`: the labels of a member as such.
//!
//! Deliberately absent: giving them to connections (see [`update_connection`](super::update_connection)), and clearing away what a deleted one
//! leaves (see `worker`).

use service_kit::crash;
use service_kit::id::MemberId;

use super::{Context, Failure};
use crate::domain::annotation::OwnLabel;
use crate::domain::label::Label;

/// A member's labels, in the order of their texts.
pub async fn list(context: &Context, member: MemberId) -> Result<Vec<OwnLabel>, Failure> {
    Ok(context.store.labels(member).await?)
}

/// Gives a label another text. Refuses with [`MemberNotFound`](crate::domain::refusal::Refusal::MemberNotFound),
/// [`LabelNotFound`](crate::domain::refusal::Refusal::LabelNotFound) and [`LabelExists`](crate::domain::refusal::Refusal::LabelExists).
pub async fn rename(
    context: &Context,
    member: MemberId,
    from: Label,
    to: Label,
) -> Result<OwnLabel, Failure> {
    let renamed = context.store.rename_label(member, from, to).await??;
    crash::point("label.renamed");
    Ok(renamed)
}

/// Deletes a label, also where there is none. Refuses with [`MemberNotFound`](crate::domain::refusal::Refusal::MemberNotFound).
pub async fn delete(context: &Context, member: MemberId, label: Label) -> Result<(), Failure> {
    context.store.delete_label(member, label).await??;
    crash::point("label.deleted");
    Ok(())
}

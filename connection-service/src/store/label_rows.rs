//! The part of [`Rows`](super::rows::Rows) that holds labels and private notes.
//!
//! Deliberately absent: keeping counters and lists in step, which is `labels`' work.

use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::time::Time;

use crate::domain::annotation::{Annotation, Notebook, OwnLabel};
use crate::domain::label::{Label, LabelId};

/// A connection as its rows are found by: its two members, the one whose row it is first, and its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct OwnConnection<'a> {
    pub(super) member: &'a MemberId,
    pub(super) other: &'a MemberId,
    pub(super) connect_time: Time,
}

/// The rows of labels and notes, with the duties of [`Rows`](super::rows::Rows).
pub(super) trait LabelRows {
    /// What is counted of a member's labels and notes; nothing when there is no row.
    fn notebook(&mut self, member: &MemberId) -> Result<Notebook, StoreError>;
    /// Replaces it.
    fn put_notebook(&mut self, member: &MemberId, notebook: &Notebook) -> Result<(), StoreError>;
    /// Removes it, if there is one.
    fn delete_notebook(&mut self, member: &MemberId) -> Result<(), StoreError>;

    /// What is noted about a connection.
    fn annotation(&mut self, of: OwnConnection<'_>) -> Result<Annotation, StoreError>;
    /// Replaces it. An empty one must leave no row.
    fn put_annotation(
        &mut self,
        of: OwnConnection<'_>,
        annotation: &Annotation,
    ) -> Result<(), StoreError>;

    /// A member's label.
    fn label(&mut self, member: &MemberId, id: LabelId) -> Result<Option<OwnLabel>, StoreError>;
    /// The number of a member's label of this text.
    fn label_id(&mut self, member: &MemberId, label: &Label)
    -> Result<Option<LabelId>, StoreError>;
    /// Replaces it. Two labels of a member must not have one text.
    fn put_label(
        &mut self,
        member: &MemberId,
        id: LabelId,
        label: &OwnLabel,
    ) -> Result<(), StoreError>;
    /// Deletes it; it must be there.
    fn delete_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError>;
    /// Deletes up to `limit` labels of a member. Says how many.
    fn delete_labels_of(&mut self, member: &MemberId, limit: u32) -> Result<u32, StoreError>;

    /// Adds a connection to those that have a label; it must not be there yet.
    fn list_labelled(&mut self, of: OwnConnection<'_>, id: LabelId) -> Result<(), StoreError>;
    /// Takes it off; it must be there.
    fn unlist_labelled(&mut self, of: OwnConnection<'_>, id: LabelId) -> Result<(), StoreError>;
    /// Up to `limit` connections that have a label: since when, with whom.
    fn labelled(
        &mut self,
        member: &MemberId,
        id: LabelId,
        limit: u32,
    ) -> Result<Vec<(Time, MemberId)>, StoreError>;

    /// Notes that a label was deleted which connections have; not noted yet.
    fn put_dropped_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError>;
    /// One of the deleted labels that connections may still have.
    fn dropped_label(&mut self) -> Result<Option<(MemberId, LabelId)>, StoreError>;
    /// Takes the note back; it must be there.
    fn delete_dropped_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError>;
    /// Deletes up to `limit` of these notes of a member. Says how many.
    fn delete_dropped_labels_of(
        &mut self,
        member: &MemberId,
        limit: u32,
    ) -> Result<u32, StoreError>;
}

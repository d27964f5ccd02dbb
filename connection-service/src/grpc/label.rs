//! Labels and private notes on the wire.
//!
//! Deliberately absent: what the methods do (see `usecase`).

use std::collections::BTreeSet;

use acquaint_proto::connection::v1::{
    DeleteLabelRequest, DeleteLabelResponse, Label as LabelMessage, ListLabelsRequest,
    ListLabelsResponse, RenameLabelRequest, RenameLabelResponse, UpdateConnectionRequest,
    UpdateConnectionResponse,
};
use service_kit::fields;
use service_kit::status::FieldViolations;
use tonic::Status;

use super::{Edge, connection_list, status};
use crate::domain::annotation::{Change, OwnLabel};
use crate::domain::label::{Label, PrivateNote};
use crate::domain::policy::Policy;
use crate::usecase::{labels, update_connection};

/// How many labels a request may name, each as often as it likes: far more than a connection may have, so that who has too many is told so.
const LABELS_GIVEN_MAX: usize = 1_000;

impl Edge {
    pub(super) async fn update(
        &self,
        request: UpdateConnectionRequest,
    ) -> Result<UpdateConnectionResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let other = fields::member_id(&mut fields, "other_id", &request.other_id);
        let change = read_change(&mut fields, self.context().policy(), &request);
        let (Some(member), Some(other), Some(change)) = (member, other, change) else {
            return Err(fields::invalid(fields));
        };
        let updated = update_connection::run(self.context(), &member, &other, change).await;
        let updated = updated.map_err(|failure| status::of(&failure))?;
        Ok(UpdateConnectionResponse {
            connection: Some(connection_list::connection(updated)),
        })
    }

    pub(super) async fn labels(
        &self,
        request: ListLabelsRequest,
    ) -> Result<ListLabelsResponse, Status> {
        let mut fields = FieldViolations::new();
        let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id) else {
            return Err(fields::invalid(fields));
        };
        let labels = labels::list(self.context(), member).await;
        let labels = labels.map_err(|failure| status::of(&failure))?;
        Ok(ListLabelsResponse {
            labels: labels.into_iter().map(own).collect(),
        })
    }

    pub(super) async fn rename(
        &self,
        request: RenameLabelRequest,
    ) -> Result<RenameLabelResponse, Status> {
        let mut fields = FieldViolations::new();
        let policy = self.context().policy();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let from = label(&mut fields, "label", &request.label, policy);
        let to = label(&mut fields, "new_label", &request.new_label, policy);
        let (Some(member), Some(from), Some(to)) = (member, from, to) else {
            return Err(fields::invalid(fields));
        };
        let renamed = labels::rename(self.context(), member, from, to).await;
        let renamed = renamed.map_err(|failure| status::of(&failure))?;
        Ok(RenameLabelResponse {
            label: Some(own(renamed)),
        })
    }

    pub(super) async fn delete(
        &self,
        request: DeleteLabelRequest,
    ) -> Result<DeleteLabelResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let label = label(
            &mut fields,
            "label",
            &request.label,
            self.context().policy(),
        );
        let (Some(member), Some(label)) = (member, label) else {
            return Err(fields::invalid(fields));
        };
        let done = labels::delete(self.context(), member, label).await;
        done.map_err(|failure| status::of(&failure))?;
        Ok(DeleteLabelResponse {})
    }
}

/// A label that must be given.
pub(super) fn label(
    fields: &mut FieldViolations,
    field: &str,
    text: &str,
    policy: &Policy,
) -> Option<Label> {
    Label::parse(text, policy.label_chars_max)
        .map_err(|rule| fields.push(field, rule.to_string()))
        .ok()
}

/// A label that may be left out.
#[allow(
    clippy::option_option,
    reason = "whether it could be read, and whether it was given"
)]
pub(super) fn optional_label(
    fields: &mut FieldViolations,
    field: &str,
    text: &str,
    policy: &Policy,
) -> Option<Option<Label>> {
    if text.is_empty() {
        return Some(None);
    }
    label(fields, field, text, policy).map(Some)
}

pub(super) fn own(own: OwnLabel) -> LabelMessage {
    LabelMessage {
        label: own.label.into_string(),
        // Far below the bound of the type: the limit of connections is.
        connection_count: i32::try_from(own.connections).unwrap_or(i32::MAX),
    }
}

fn read_change(
    fields: &mut FieldViolations,
    policy: &Policy,
    request: &UpdateConnectionRequest,
) -> Option<Change> {
    let mask = request.update_mask.as_ref();
    let paths = mask.map(|mask| mask.paths.as_slice());
    let Some(paths) = paths.filter(|paths| !paths.is_empty()) else {
        fields.push("update_mask", "must name at least one field");
        return None;
    };
    let mut change = Change::default();
    let mut right = true;
    for (index, path) in paths.iter().enumerate() {
        let (labels, note) = match path.as_str() {
            "labels" => (true, false),
            "private_note" => (false, true),
            "*" => (true, true),
            _ => {
                let field = format!("update_mask.paths[{index}]");
                fields.push(field, "must be labels, private_note or *");
                right = false;
                continue;
            }
        };
        if labels && change.labels.is_none() {
            change.labels = read_labels(fields, policy, &request.labels);
            right &= change.labels.is_some();
        }
        if note && change.note.is_none() {
            change.note = read_note(fields, policy, &request.private_note);
            right &= change.note.is_some();
        }
    }
    right.then_some(change)
}

fn read_labels(
    fields: &mut FieldViolations,
    policy: &Policy,
    texts: &[String],
) -> Option<BTreeSet<Label>> {
    if texts.len() > LABELS_GIVEN_MAX {
        fields.push("labels", format!("must be at most {LABELS_GIVEN_MAX}"));
        return None;
    }
    let each = texts.iter().enumerate();
    // All of them, so that every violation is noted.
    let read: Vec<_> = each
        .map(|(index, text)| label(fields, &format!("labels[{index}]"), text, policy))
        .collect();
    read.into_iter().collect()
}

fn read_note(fields: &mut FieldViolations, policy: &Policy, text: &str) -> Option<PrivateNote> {
    PrivateNote::parse(text, policy.private_note_chars_max)
        .map_err(|rule| fields.push("private_note", rule.to_string()))
        .ok()
}

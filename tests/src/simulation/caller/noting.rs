//! What a member notes about others, and who is moved in.
//!
//! Deliberately absent: what is asked of invitation-service.

use std::time::Duration;

use acquaint_proto::connection::v1 as connection;
use prost_types::FieldMask;
use service_kit::{fields::timestamp, time::Time};
use tonic::Status;

use super::{
    super::history::{Op, Outcome, label, labels, note},
    Caller, LOOK_WAIT, answer, done, within,
};

impl Caller {
    /// What connection-service keeps for a member beside the connections themselves, and what is moved in.
    pub(super) async fn attempt_noting(
        &self,
        member: &str,
        op: &Op,
        wait: Duration,
    ) -> Result<Outcome, Status> {
        let member_id = member.to_owned();
        let mut connections = self.connections.clone();
        match op.clone() {
            Op::Import { other, millis } => {
                let row = connection::ImportedConnection {
                    member_id,
                    other_id: other,
                    connect_time: Some(timestamp(Time::from_millis(millis))),
                };
                let message = connection::ImportConnectionsRequest {
                    connections: vec![row],
                };
                let stream = futures::stream::iter([message]);
                let imported = connections.import_connections(within(wait, stream));
                answer(wait, imported).await.map(|report| became(&report))
            }
            Op::Note { other, number } => {
                let message = connection::UpdateConnectionRequest {
                    member_id,
                    other_id: other,
                    labels: labels(number),
                    private_note: note(number),
                    update_mask: Some(FieldMask {
                        paths: vec!["*".to_owned()],
                    }),
                };
                done(answer(wait, connections.update_connection(within(wait, message))).await)
            }
            Op::Relabel(from, to) => {
                let message = connection::RenameLabelRequest {
                    member_id,
                    label: label(from),
                    new_label: label(to),
                };
                done(answer(wait, connections.rename_label(within(wait, message))).await)
            }
            Op::Unlabel(number) => {
                let message = connection::DeleteLabelRequest {
                    member_id,
                    label: label(number),
                };
                done(answer(wait, connections.delete_label(within(wait, message))).await)
            }
            Op::Dismiss(other_id) => {
                let message = connection::DismissSuggestionRequest {
                    member_id,
                    other_id,
                };
                done(answer(wait, connections.dismiss_suggestion(within(wait, message))).await)
            }
            _ => unreachable!("nothing is noted: {op:?}"),
        }
    }

    /// The member's labels, with how many connections have each.
    pub(super) async fn labels(&self, member: &str) -> Result<Vec<(String, i32)>, Status> {
        let message = connection::ListLabelsRequest {
            member_id: member.to_owned(),
        };
        let mut client = self.connections.clone();
        let listed = client.list_labels(within(LOOK_WAIT, message));
        let listed = answer(LOOK_WAIT, listed).await?.labels.into_iter();
        Ok(listed
            .map(|one| (one.label, one.connection_count))
            .collect())
    }
}

/// What became of the one row of an import.
fn became(report: &connection::ImportConnectionsResponse) -> Outcome {
    match report.refusals.first() {
        Some(refused) => Outcome::Refused(refused.reason().as_str_name().to_owned()),
        None => Outcome::Done,
    }
}

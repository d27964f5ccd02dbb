//! What members note about their connections, and the removal of many.

use acquaint_proto::connection::v1 as connection;
use connection::batch_remove_connections_request::Selection;
use prost_types::FieldMask;
use tonic::{Response, Status};

use super::Pair;

impl Pair {
    /// Gives a connection labels and, if one is given, a note.
    pub async fn note(
        &self,
        member: &str,
        other: &str,
        labels: &[&str],
        note: Option<&str>,
    ) -> Result<connection::Connection, Status> {
        let mut paths = vec!["labels".to_owned()];
        paths.extend(note.map(|_| "private_note".to_owned()));
        let request = connection::UpdateConnectionRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
            labels: labels.iter().map(ToString::to_string).collect(),
            private_note: note.unwrap_or_default().to_owned(),
            update_mask: Some(FieldMask { paths }),
        };
        let answer = self.connections.clone().update_connection(request).await?;
        Ok(answer.into_inner().connection.unwrap())
    }

    /// The first thousand of a member's connections as that member sees them, newest first; with a label, those that have it.
    pub async fn noted(&self, member: &str, label: &str) -> Vec<connection::Connection> {
        let request = connection::ListConnectionsRequest {
            member_id: member.to_owned(),
            page_size: 1_000,
            label: label.to_owned(),
            ..Default::default()
        };
        let answer = self.connections.clone().list_connections(request).await;
        answer.unwrap().into_inner().connections
    }

    /// A member's labels, with how many connections have each.
    pub async fn labels(&self, member: &str) -> Vec<(String, i32)> {
        let request = connection::ListLabelsRequest {
            member_id: member.to_owned(),
        };
        let answer = self.connections.clone().list_labels(request).await;
        let labels = answer.unwrap().into_inner().labels.into_iter();
        labels
            .map(|label| (label.label, label.connection_count))
            .collect()
    }

    /// Gives a label another text.
    pub async fn rename_label(
        &self,
        member: &str,
        label: &str,
        new_label: &str,
    ) -> Result<connection::Label, Status> {
        let request = connection::RenameLabelRequest {
            member_id: member.to_owned(),
            label: label.to_owned(),
            new_label: new_label.to_owned(),
        };
        let answer = self.connections.clone().rename_label(request).await?;
        Ok(answer.into_inner().label.unwrap())
    }

    /// Deletes a label.
    pub async fn delete_label(&self, member: &str, label: &str) -> Result<(), Status> {
        let request = connection::DeleteLabelRequest {
            member_id: member.to_owned(),
            label: label.to_owned(),
        };
        self.connections
            .clone()
            .delete_label(request)
            .await
            .map(drop)
    }

    /// Ends many connections, or says what would end.
    pub async fn remove_many(
        &self,
        member: &str,
        selection: Selection,
        dry_run: bool,
    ) -> Result<connection::BatchRemoveConnectionsResponse, Status> {
        let request = connection::BatchRemoveConnectionsRequest {
            member_id: member.to_owned(),
            selection: Some(selection),
            dry_run,
        };
        let mut client = self.connections.clone();
        let answer = client.batch_remove_connections(request).await;
        answer.map(Response::into_inner)
    }
}

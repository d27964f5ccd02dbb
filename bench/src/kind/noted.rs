//! Calls of members who note something about their connections.
//!
//! Deliberately absent: whose connections they are (see [`Supply`]).

use std::collections::VecDeque;

use acquaint_proto::connection::v1::{self as connection, ConnectionOrder};
use anyhow::Context as _;

use super::{PAGE, Supply};
use crate::call::Call;

/// What they give their connections.
pub(super) const LABEL: &str = "colleagues";

impl Supply {
    /// First pages of members who have noted something about every connection on them; with a label, the pages of those that have it.
    pub(super) async fn noted_pages(&mut self, label: &str) -> anyhow::Result<VecDeque<Call>> {
        let mut calls = VecDeque::new();
        for page in self.full_pages(true, PAGE, ConnectionOrder::Recent).await? {
            let Call::Connections(request) = page else {
                continue;
            };
            let answer = self.clients.connections.list_connections(request.clone());
            let answer = answer.await.context("preparing calls")?.into_inner();
            let noted = answer.connections.into_iter().map(async |connection| {
                let mut clients = self.clients.clone();
                let call = annotate(request.member_id.clone(), connection.other_id);
                call.make(&mut clients).await
            });
            futures::future::try_join_all(noted)
                .await
                .context("preparing calls")?;
            calls.push_back(Call::Connections(connection::ListConnectionsRequest {
                label: label.to_owned(),
                ..request
            }));
        }
        Ok(calls)
    }
}

/// Two labels and a note.
pub(super) fn annotate(member_id: String, other_id: String) -> Call {
    Call::Annotate(connection::UpdateConnectionRequest {
        member_id,
        other_id,
        labels: vec![LABEL.to_owned(), "Lyon".to_owned()],
        private_note: "Met at the conference; wants to hear about the new job.".to_owned(),
        update_mask: Some(prost_types::FieldMask {
            paths: vec!["*".to_owned()],
        }),
    })
}

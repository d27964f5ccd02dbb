//! `BatchRemoveConnections` on the wire.
//!
//! Deliberately absent: what it does (see `usecase`).

use acquaint_proto::connection::v1::batch_remove_connections_request::Selection as SelectionField;
use acquaint_proto::connection::v1::{
    BatchRemoveConnectionsRequest, BatchRemoveConnectionsResponse, ConnectionFilter, Removal,
    RemovalResult, removal_result::Outcome,
};
use service_kit::fields;
use service_kit::status::FieldViolations;
use tonic::Status;

use super::connection_list::{GivenFilter, read_filter};
use super::{Edge, status};
use crate::domain::connection_list::Filter;
use crate::domain::policy::Policy;
use crate::usecase::batch_remove::{self, Which};

impl Edge {
    pub(super) async fn remove_many(
        &self,
        request: BatchRemoveConnectionsRequest,
    ) -> Result<BatchRemoveConnectionsResponse, Status> {
        let mut fields = FieldViolations::new();
        let options = self.requests().batches;
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let which = match request.selection {
            Some(SelectionField::OtherIds(ids)) => {
                let (field, max) = ("other_ids.other_ids", options.items_max);
                fields::member_ids(&mut fields, field, &ids.other_ids, max).map(Which::Named)
            }
            Some(SelectionField::Filter(filter)) => {
                selection(&mut fields, &filter, self.context().policy()).map(Which::Selected)
            }
            None => {
                fields.push("selection", "other_ids or filter must be given");
                None
            }
        };
        let (Some(member), Some(which)) = (member, which) else {
            return Err(fields::invalid(fields));
        };
        let done = batch_remove::run(self.context(), &member, which, request.dry_run, options);
        let done = done.await.map_err(|failure| status::of(&failure))?;
        let results = done
            .results
            .into_iter()
            .map(|(other, result)| RemovalResult {
                other_id: other.to_string(),
                outcome: Some(match result {
                    Ok(ended) => Outcome::Removal(Removal {
                        connect_time: ended.map(fields::timestamp),
                    }),
                    Err(failure) => Outcome::Status(status::of_item(&failure)),
                }),
            });
        Ok(BatchRemoveConnectionsResponse {
            results: results.collect(),
            matched_count: count(done.matched),
            remaining_count: count(done.remaining),
        })
    }
}

/// Far below the bound of the type: what is counted is bounded.
fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

fn selection(
    fields: &mut FieldViolations,
    filter: &ConnectionFilter,
    policy: &Policy,
) -> Option<Filter> {
    let given = GivenFilter {
        prefix: "filter.",
        query: &filter.query,
        label: &filter.label,
        connected_after: filter.connected_after,
        connected_before: filter.connected_before,
    };
    let read = read_filter(fields, &given, policy)?;
    match (read.is_empty(), filter.all_connections) {
        (true, false) => {
            fields.push("filter", "must say which connections, or all_connections");
            None
        }
        (false, true) => {
            fields.push(
                "filter.all_connections",
                "must be the only thing that is given",
            );
            None
        }
        (true, true) | (false, false) => Some(read),
    }
}

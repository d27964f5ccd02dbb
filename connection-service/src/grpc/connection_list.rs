//! `ListConnections` on the wire.
//!
//! Deliberately absent: what is in a list and in which order (see `domain::connection_list`).

use acquaint_proto::connection::v1::{
    Connection, ConnectionOrder, ListConnectionsRequest, ListConnectionsResponse,
};
use service_kit::fields;
use service_kit::status::FieldViolations;
use tonic::Status;

use super::{Edge, convert, status};
use crate::domain::connection_list::{Filter, ListQuery, Order};
use crate::domain::policy::Policy;
use crate::domain::search::Search;
use crate::store::{ConnectionLine, ListRequest};
use crate::usecase::{Failure, list_connections};

impl Edge {
    pub(super) async fn list(
        &self,
        request: ListConnectionsRequest,
    ) -> Result<ListConnectionsResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let limit = fields::page_size(&mut fields, request.page_size, self.requests().pages);
        let query = query(&mut fields, &request, self.context().policy());
        let (Some(member), Some(limit), Some(query)) = (member, limit, query) else {
            return Err(fields::invalid(fields));
        };
        let tokens = self.tokens();
        let after = tokens.read_connections_page(&member, &query, &request.page_token);
        let asked = ListRequest {
            after: after.map_err(|refusal| status::of(&Failure::from(refusal)))?,
            query,
            limit,
            with_cards: request.with_cards,
        };
        let query = asked.query.clone();
        let page = list_connections::run(self.context(), member.clone(), asked).await;
        let page = page.map_err(|failure| status::of(&failure))?;
        let next = page.next.as_ref();
        let next = next.map(|after| tokens.connections_page(&member, &query, after));
        Ok(ListConnectionsResponse {
            connections: page.lines.into_iter().map(connection).collect(),
            next_page_token: next.unwrap_or_default(),
            // Far below the bound of the type: the limit of connections is.
            total_size: i32::try_from(page.total.number).unwrap_or(i32::MAX),
            total_size_is_minimum: page.total.is_minimum,
        })
    }
}

fn query(
    fields: &mut FieldViolations,
    request: &ListConnectionsRequest,
    policy: &Policy,
) -> Option<ListQuery> {
    let order = match ConnectionOrder::try_from(request.order) {
        Ok(ConnectionOrder::Unspecified | ConnectionOrder::Recent) => Some(Order::Recent),
        Ok(ConnectionOrder::FirstName) => Some(Order::FirstName),
        Ok(ConnectionOrder::LastName) => Some(Order::LastName),
        Err(_) => {
            fields.push("order", "must be an order of the contract");
            None
        }
    };
    let search = Search::parse(&request.query, policy.query_chars_max);
    let search = search.map_err(|rule| fields.push("query", rule.to_string()));
    let after = fields::optional_time(fields, "connected_after", request.connected_after);
    let before = fields::optional_time(fields, "connected_before", request.connected_before);
    Some(ListQuery {
        order: order?,
        filter: Filter {
            search: search.ok()?,
            connected_after: after?,
            connected_before: before?,
        },
    })
}

fn connection(line: ConnectionLine) -> Connection {
    Connection {
        card: line
            .card
            .map(|card| convert::to_member_card(&line.other, *card)),
        other_id: line.other.as_str().to_owned(),
        connect_time: Some(fields::timestamp(line.connect_time)),
    }
}

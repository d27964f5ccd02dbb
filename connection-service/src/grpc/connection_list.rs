//! `ListConnections` on the wire.
//!
//! Deliberately absent: what is in a list and in which order (see `domain::connection_list`).

use acquaint_proto::connection::v1::{
    Connection, ConnectionOrder, ListConnectionsRequest, ListConnectionsResponse,
};
use prost_types::Timestamp;
use service_kit::fields;
use service_kit::status::FieldViolations;
use tonic::Status;

use super::{Edge, convert, label, size, status};
use crate::domain::connection_list::{Filter, ListQuery, Order};
use crate::domain::label::Label;
use crate::domain::policy::Policy;
use crate::domain::search::Search;
use crate::store::{ConnectionLine, ListRequest, Noted};
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
        // Room for all but what is noted, which ends a page that would have too much of it.
        let line =
            size::ENTRY + usize::from(request.with_cards) * size::card(self.context().policy());
        let plain = line.saturating_mul(usize::try_from(limit).unwrap_or(usize::MAX));
        let asked = ListRequest {
            noted_bytes_max: self
                .0
                .answer_bytes_max
                .saturating_sub(plain.saturating_add(size::REST)),
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
    let given = GivenFilter {
        prefix: "",
        query: &request.query,
        label: &request.label,
        connected_after: request.connected_after,
        connected_before: request.connected_before,
    };
    let filter = read_filter(fields, &given, policy);
    Some(ListQuery {
        order: order?,
        filter: filter?,
    })
}

/// The fields of a filter, of a list or of a batch.
pub(super) struct GivenFilter<'a> {
    /// The path to them.
    pub(super) prefix: &'a str,
    pub(super) query: &'a str,
    pub(super) label: &'a str,
    pub(super) connected_after: Option<Timestamp>,
    pub(super) connected_before: Option<Timestamp>,
}

pub(super) fn read_filter(
    fields: &mut FieldViolations,
    given: &GivenFilter<'_>,
    policy: &Policy,
) -> Option<Filter> {
    let path = |field: &str| format!("{}{field}", given.prefix);
    let search = Search::parse(given.query, policy.query_chars_max);
    let search = search.map_err(|rule| fields.push(path("query"), rule.to_string()));
    let label = label::optional_label(fields, &path("label"), given.label, policy);
    let after = fields::optional_time(fields, &path("connected_after"), given.connected_after);
    let before = fields::optional_time(fields, &path("connected_before"), given.connected_before);
    Some(Filter {
        label: label?,
        search: search.ok()?,
        connected_after: after?,
        connected_before: before?,
    })
}

/// A connection as the member whose list it is sees it.
pub(super) fn connection(line: ConnectionLine) -> Connection {
    let Noted { labels, note } = line.noted.map(|noted| *noted).unwrap_or_default();
    Connection {
        card: line
            .card
            .map(|card| convert::to_member_card(&line.other, *card)),
        other_id: line.other.as_str().to_owned(),
        connect_time: Some(fields::timestamp(line.connect_time)),
        labels: labels.into_iter().map(Label::into_string).collect(),
        private_note: note.into_string(),
    }
}

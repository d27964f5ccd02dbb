//! The methods of `ConnectionService` that look at the network around a member.
//!
//! Deliberately absent: what the methods do (see `usecase`).

use acquaint_proto::connection::v1::{
    self as api, DismissSuggestionRequest, DismissSuggestionResponse, ListMutualConnectionsRequest,
    ListMutualConnectionsResponse, RelationshipStatus, SuggestConnectionsRequest,
    SuggestConnectionsResponse,
};
use service_kit::fields;
use service_kit::id::MemberId;
use service_kit::status::FieldViolations;
use tonic::Status;

use super::{Edge, status};
use crate::domain::network::{Degree, Suggested, Suggestion};
use crate::store::Relationship;
use crate::usecase::get_relationships::{self, Related};
use crate::usecase::{Failure, dismiss_suggestion, list_mutual_connections, suggest_connections};

impl Edge {
    pub(super) async fn relationships(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
        with_mutual_counts: bool,
    ) -> Result<Vec<api::Relationship>, Status> {
        let asked = others.clone();
        let found = get_relationships::run(self.context(), member, asked, with_mutual_counts).await;
        let found = found.map_err(|failure| status::of(&failure))?;
        let both = others.iter().zip(found);
        Ok(both
            .map(|(other, related)| relationship(other, related))
            .collect())
    }

    pub(super) async fn mutual_page(
        &self,
        request: ListMutualConnectionsRequest,
    ) -> Result<ListMutualConnectionsResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let other = fields::member_id(&mut fields, "other_id", &request.other_id);
        let limit = fields::page_size(&mut fields, request.page_size, self.requests().pages);
        let (Some(member), Some(other), Some(limit)) = (member, other, limit) else {
            return Err(fields::invalid(fields));
        };
        let after = self
            .tokens()
            .read_mutual_page(&member, &other, &request.page_token);
        let after = after.map_err(|refusal| status::of(&Failure::from(refusal)))?;
        let page =
            list_mutual_connections::run(self.context(), &member, &other, after, limit).await;
        let page = page.map_err(|failure| status::of(&failure))?;
        let last = page.members.last().filter(|_| page.more);
        let next = last.map(|last| self.tokens().mutual_page(&member, &other, last));
        Ok(ListMutualConnectionsResponse {
            member_ids: page.members.iter().map(ToString::to_string).collect(),
            next_page_token: next.unwrap_or_default(),
            total_size: to_i32(page.total),
        })
    }

    pub(super) async fn suggestion_page(
        &self,
        request: SuggestConnectionsRequest,
    ) -> Result<SuggestConnectionsResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let limit = fields::page_size(&mut fields, request.page_size, self.requests().pages);
        let (Some(member), Some(limit)) = (member, limit) else {
            return Err(fields::invalid(fields));
        };
        let after = self
            .tokens()
            .read_suggestion_page(&member, &request.page_token);
        let after = after.map_err(|refusal| status::of(&Failure::from(refusal)))?;
        let page = suggest_connections::run(self.context(), member.clone(), after, limit).await;
        let page = page.map_err(|failure| status::of(&failure))?;
        let last = page.suggestions.last().filter(|_| page.more);
        let next = last.map(|last| {
            let last = Suggested {
                mutual_count: last.mutual_count,
                member: last.member.clone(),
            };
            self.tokens().suggestion_page(&member, &last)
        });
        Ok(SuggestConnectionsResponse {
            suggestions: page.suggestions.iter().map(suggestion).collect(),
            next_page_token: next.unwrap_or_default(),
        })
    }

    pub(super) async fn dismiss(
        &self,
        request: DismissSuggestionRequest,
    ) -> Result<DismissSuggestionResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let other = fields::member_id(&mut fields, "other_id", &request.other_id);
        let (Some(member), Some(other)) = (member, other) else {
            return Err(fields::invalid(fields));
        };
        let done = dismiss_suggestion::run(self.context(), &member, &other).await;
        done.map_err(|failure| status::of(&failure))?;
        Ok(DismissSuggestionResponse {})
    }
}

fn relationship(other: &MemberId, related: Related) -> api::Relationship {
    let (status, connect_time) = match related.relationship {
        Relationship::None => (RelationshipStatus::None, None),
        Relationship::Connected(since) => (RelationshipStatus::Connected, Some(since)),
        Relationship::Blocked => (RelationshipStatus::Blocked, None),
    };
    let degree = related
        .between
        .map_or(api::Degree::Unspecified, |between| match between.degree {
            Degree::First => api::Degree::First,
            Degree::Second => api::Degree::Second,
            Degree::Third => api::Degree::Third,
            Degree::Further => api::Degree::Further,
        });
    let mutual_count = related.between.and_then(|between| between.mutual_count);
    api::Relationship {
        other_id: other.to_string(),
        status: status.into(),
        connect_time: connect_time.map(fields::timestamp),
        degree: degree.into(),
        mutual_count: mutual_count.map(to_i32),
    }
}

fn suggestion(suggestion: &Suggestion) -> api::Suggestion {
    api::Suggestion {
        other_id: suggestion.member.to_string(),
        mutual_count: to_i32(suggestion.mutual_count),
        mutual_ids: suggestion.shown.iter().map(ToString::to_string).collect(),
    }
}

/// Far below the bound of the type: the limit of connections is.
fn to_i32(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

//! `MemberService` on the wire.
//!
//! Deliberately absent: what the methods do (see `usecase`).

use std::pin::Pin;

use acquaint_proto::connection::v1::member_service_server::MemberService;
use acquaint_proto::connection::v1::put_member_result::Outcome;
use acquaint_proto::connection::v1::{
    BatchPutMembersRequest, BatchPutMembersResponse, EraseMemberRequest, EraseMemberResponse,
    ExportMemberRequest, ExportMemberResponse, GetMemberRequest, GetMemberResponse, MemberCard,
    PutMemberRequest, PutMemberResponse, PutMemberResult,
};
use futures::Stream;
use service_kit::deadline::within;
use service_kit::fields;
use service_kit::id::MemberId;
use service_kit::status::FieldViolations;
use tonic::{Request, Response, Status};

use super::{Edge, convert, status};
use crate::domain::card::{Card, parse_text};
use crate::domain::policy::Policy;
use crate::usecase::{Failure, erase_member, get_member, put_members};

#[tonic::async_trait]
impl MemberService for Edge {
    async fn put_member(
        &self,
        request: Request<PutMemberRequest>,
    ) -> Result<Response<PutMemberResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let given = MemberCard {
                member_id: request.member_id,
                first_name: request.first_name,
                last_name: request.last_name,
                headline: request.headline,
            };
            let Some(put) = card(&mut fields, "", &given, self.context().policy()) else {
                return Err(fields::invalid(fields));
            };
            let shown = convert::to_member_card(&put.0, put.1.clone());
            let stored = put_members::run(self.context(), vec![put]).await;
            let stored = stored.and_then(|each| Ok(each.into_iter().collect::<Result<(), _>>()?));
            stored.map_err(|failure| status::of(&failure))?;
            Ok(PutMemberResponse {
                member: Some(shown),
            })
        })
        .await
    }

    async fn batch_put_members(
        &self,
        request: Request<BatchPutMembersRequest>,
    ) -> Result<Response<BatchPutMembersResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let (max, policy) = (self.cards().cards_max, self.context().policy());
            let cards = fields::list(
                &mut fields,
                "members",
                &request.members,
                max,
                |fields, field, given| card(fields, &format!("{field}."), given, policy),
            );
            let Some(cards) = cards else {
                return Err(fields::invalid(fields));
            };
            let stored = put_members::run(self.context(), cards.clone()).await;
            let stored = stored.map_err(|failure| status::of(&failure))?;
            let results = cards.into_iter().zip(stored);
            let results = results.map(|((member, card), stored)| PutMemberResult {
                member_id: member.to_string(),
                outcome: Some(match stored {
                    Ok(()) => Outcome::Member(convert::to_member_card(&member, card)),
                    Err(refusal) => Outcome::Status(status::of_item(&Failure::from(refusal))),
                }),
            });
            Ok(BatchPutMembersResponse {
                results: results.collect(),
            })
        })
        .await
    }

    async fn get_member(
        &self,
        request: Request<GetMemberRequest>,
    ) -> Result<Response<GetMemberResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id)
            else {
                return Err(fields::invalid(fields));
            };
            let card = get_member::run(self.context(), member.clone()).await;
            let card = card.map_err(|failure| status::of(&failure))?;
            Ok(GetMemberResponse {
                member: Some(convert::to_member_card(&member, card)),
            })
        })
        .await
    }

    async fn erase_member(
        &self,
        request: Request<EraseMemberRequest>,
    ) -> Result<Response<EraseMemberResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id)
            else {
                return Err(fields::invalid(fields));
            };
            let complete = erase_member::run(self.context(), member).await;
            let complete = complete.map_err(|failure| status::of(&failure))?;
            Ok(EraseMemberResponse { complete })
        })
        .await
    }

    type ExportMemberStream =
        Pin<Box<dyn Stream<Item = Result<ExportMemberResponse, Status>> + Send>>;

    async fn export_member(
        &self,
        request: Request<ExportMemberRequest>,
    ) -> Result<Response<Self::ExportMemberStream>, Status> {
        within(request, |request, _| async move {
            let all = self.export_all_of_member(request).await?;
            Ok(Box::pin(all) as Self::ExportMemberStream)
        })
        .await
    }
}

/// A card whose fields stand below `path`, which ends where their names begin.
fn card(
    fields: &mut FieldViolations,
    path: &str,
    given: &MemberCard,
    policy: &Policy,
) -> Option<(MemberId, Card)> {
    let member = fields::member_id(fields, &format!("{path}member_id"), &given.member_id);
    let mut text = |field: &str, text: &str, chars_max| {
        parse_text(text, chars_max)
            .map_err(|rule| fields.push(format!("{path}{field}"), rule.to_string()))
            .ok()
    };
    let first_name = text("first_name", &given.first_name, policy.name_chars_max);
    let last_name = text("last_name", &given.last_name, policy.name_chars_max);
    let headline = text("headline", &given.headline, policy.headline_chars_max);
    let card = Card {
        first_name: first_name?,
        last_name: last_name?,
        headline: headline?,
    };
    Some((member?, card))
}

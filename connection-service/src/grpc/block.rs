//! `BlockService` on the wire.
//!
//! Deliberately absent: what the methods do (see `usecase`).

use acquaint_proto::connection::v1::block_service_server::BlockService;
use acquaint_proto::connection::v1::{
    BlockMemberRequest, BlockMemberResponse, BlockedMember, ListBlockedMembersRequest,
    ListBlockedMembersResponse, UnblockMemberRequest, UnblockMemberResponse,
};
use service_kit::deadline::within;
use service_kit::fields;
use service_kit::status::FieldViolations;
use tonic::{Request, Response, Status};

use super::{Edge, status};
use crate::store::Line;
use crate::usecase::{Failure, block_member, list_blocked_members, unblock_member};

const LIST: &str = "ListBlockedMembers";

#[tonic::async_trait]
impl BlockService for Edge {
    async fn block_member(
        &self,
        request: Request<BlockMemberRequest>,
    ) -> Result<Response<BlockMemberResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let member = fields::member_id(&mut fields, "member_id", &request.member_id);
            let other = fields::member_id(&mut fields, "other_id", &request.other_id);
            let (Some(member), Some(other)) = (member, other) else {
                return Err(fields::invalid(fields));
            };
            let done = block_member::run(self.context(), &member, &other).await;
            done.map_err(|failure| status::of(&failure))?;
            Ok(BlockMemberResponse {})
        })
        .await
    }

    async fn unblock_member(
        &self,
        request: Request<UnblockMemberRequest>,
    ) -> Result<Response<UnblockMemberResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let member = fields::member_id(&mut fields, "member_id", &request.member_id);
            let other = fields::member_id(&mut fields, "other_id", &request.other_id);
            let (Some(member), Some(other)) = (member, other) else {
                return Err(fields::invalid(fields));
            };
            let done = unblock_member::run(self.context(), &member, &other).await;
            done.map_err(|failure| status::of(&failure))?;
            Ok(UnblockMemberResponse {})
        })
        .await
    }

    async fn list_blocked_members(
        &self,
        request: Request<ListBlockedMembersRequest>,
    ) -> Result<Response<ListBlockedMembersResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let member = fields::member_id(&mut fields, "member_id", &request.member_id);
            let limit = fields::page_size(&mut fields, request.page_size, self.requests().pages);
            let (Some(member), Some(limit)) = (member, limit) else {
                return Err(fields::invalid(fields));
            };
            let after = self
                .tokens()
                .read_list_page(LIST, &member, &request.page_token);
            let after = after.map_err(|refusal| status::of(&Failure::from(refusal)))?;
            let page =
                list_blocked_members::run(self.context(), member.clone(), after, limit).await;
            let page = page.map_err(|failure| status::of(&failure))?;
            let last = page.lines.last().filter(|_| page.more);
            let next = last.map(|line| self.tokens().list_page(LIST, &member, line));
            Ok(ListBlockedMembersResponse {
                blocked_members: page.lines.iter().map(to_blocked).collect(),
                next_page_token: next.unwrap_or_default(),
            })
        })
        .await
    }
}

pub(super) fn to_blocked(line: &Line) -> BlockedMember {
    BlockedMember {
        other_id: line.other.to_string(),
        block_time: Some(fields::timestamp(line.time)),
    }
}

//! `MemberService` on the wire.
//!
//! Deliberately absent: what the methods do (see `usecase`).

use acquaint_proto::connection::v1::member_service_server::MemberService;
use acquaint_proto::connection::v1::{EraseMemberRequest, EraseMemberResponse};
use service_kit::deadline::within;
use service_kit::fields;
use service_kit::status::FieldViolations;
use tonic::{Request, Response, Status};

use super::{Edge, status};
use crate::usecase::erase_member;

#[tonic::async_trait]
impl MemberService for Edge {
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
}

//! What operators do with a member's standing, on the wire.
//!
//! Deliberately absent: who is an operator; the server asks for the role before a call arrives here.

use acquaint_proto::invitation::v1::{self as wire, standing_service_server::StandingService};
use service_kit::{auth::Caller, deadline::within, fields, status::FieldViolations};
use tonic::{Request, Status};

use super::{Answer, Edge};
use crate::usecase::set_plan;

#[tonic::async_trait]
impl StandingService for Edge {
    async fn set_member_plan(
        &self,
        request: Request<wire::SetMemberPlanRequest>,
    ) -> Answer<wire::SetMemberPlanResponse> {
        let author = Caller::of(&request)?.name().to_owned();
        within(request, |request, _| self.set_plan(request, author)).await
    }
}

impl Edge {
    async fn set_plan(
        &self,
        request: wire::SetMemberPlanRequest,
        author: String,
    ) -> Result<wire::SetMemberPlanResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let plans: Vec<_> = self.context.policy.plan_names().collect();
        let plan = plans.iter().find(|plan| **plan == request.plan);
        if plan.is_none() {
            fields.push("plan", format!("must be one of: {}", plans.join(", ")));
        }
        let (Some(member), Some(plan)) = (member, plan) else {
            return Err(fields::invalid(fields));
        };
        let set = set_plan::run(&self.context, member, (*plan).to_owned(), author).await;
        set.map_err(|failure| self.failed(failure))?;
        Ok(wire::SetMemberPlanResponse {})
    }
}

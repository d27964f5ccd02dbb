//! The three batch methods on the wire.

use acquaint_proto::invitation::v1::{
    self as wire, batch_accept_invitations_request as accept,
    batch_decline_invitations_request as decline, batch_withdraw_invitations_request as withdraw,
    invitation_result::Outcome,
};
use service_kit::{deadline::Deadline, fields, status::FieldViolations};
use tonic::Status;

use super::{Edge, convert, status};
use crate::{
    domain::invitation::Place,
    usecase::batch::{self, Act, Which},
};

/// What all three methods answer with.
struct Answer {
    results: Vec<wire::InvitationResult>,
    matched_count: i32,
    remaining_count: i32,
}

impl Edge {
    pub(super) async fn withdraw_many(
        &self,
        request: wire::BatchWithdrawInvitationsRequest,
        deadline: Deadline,
    ) -> Result<wire::BatchWithdrawInvitationsResponse, Status> {
        let mut fields = FieldViolations::new();
        let which = match request.selection {
            Some(withdraw::Selection::InvitationIds(ids)) => self.named(&mut fields, &ids),
            Some(withdraw::Selection::Filter(filter)) => sent(&mut fields, filter),
            None => missing(&mut fields),
        };
        let act = Some(Act::Withdraw);
        let answer = self
            .batch(
                fields,
                &request.member_id,
                which,
                act,
                request.dry_run,
                deadline,
            )
            .await?;
        Ok(wire::BatchWithdrawInvitationsResponse {
            results: answer.results,
            matched_count: answer.matched_count,
            remaining_count: answer.remaining_count,
        })
    }

    pub(super) async fn accept_many(
        &self,
        request: wire::BatchAcceptInvitationsRequest,
        deadline: Deadline,
    ) -> Result<wire::BatchAcceptInvitationsResponse, Status> {
        let mut fields = FieldViolations::new();
        let which = match request.selection {
            Some(accept::Selection::InvitationIds(ids)) => self.named(&mut fields, &ids),
            Some(accept::Selection::Filter(filter)) => received(&mut fields, filter),
            None => missing(&mut fields),
        };
        let act = Some(Act::Accept);
        let answer = self
            .batch(
                fields,
                &request.member_id,
                which,
                act,
                request.dry_run,
                deadline,
            )
            .await?;
        Ok(wire::BatchAcceptInvitationsResponse {
            results: answer.results,
            matched_count: answer.matched_count,
            remaining_count: answer.remaining_count,
        })
    }

    pub(super) async fn decline_many(
        &self,
        request: wire::BatchDeclineInvitationsRequest,
        deadline: Deadline,
    ) -> Result<wire::BatchDeclineInvitationsResponse, Status> {
        let mut fields = FieldViolations::new();
        let which = match request.selection {
            Some(decline::Selection::InvitationIds(ids)) => self.named(&mut fields, &ids),
            Some(decline::Selection::Filter(filter)) => received(&mut fields, filter),
            None => missing(&mut fields),
        };
        let reason = convert::decline_reason(&mut fields, request.reason);
        let act = reason.map(Act::Decline);
        let answer = self
            .batch(
                fields,
                &request.member_id,
                which,
                act,
                request.dry_run,
                deadline,
            )
            .await?;
        Ok(wire::BatchDeclineInvitationsResponse {
            results: answer.results,
            matched_count: answer.matched_count,
            remaining_count: answer.remaining_count,
        })
    }

    async fn batch(
        &self,
        mut fields: FieldViolations,
        member_id: &str,
        which: Option<Which>,
        act: Option<Act>,
        dry_run: bool,
        deadline: Deadline,
    ) -> Result<Answer, Status> {
        let member = fields::member_id(&mut fields, "member_id", member_id);
        let (Some(member), Some(which), Some(act)) = (member, which, act) else {
            return Err(fields::invalid(fields));
        };
        let clock = &*self.context.clock;
        let done = batch::run(&self.context, &member, which, act, dry_run, deadline).await;
        let done = done.map_err(|failure| status::of(&failure, clock))?;
        let results = done
            .results
            .into_iter()
            .map(|(id, result)| wire::InvitationResult {
                invitation_id: id.to_string(),
                outcome: Some(match result {
                    Ok(view) => Outcome::Invitation(convert::to_invitation(view)),
                    Err(failure) => Outcome::Status(status::of_item(&failure, clock)),
                }),
            });
        Ok(Answer {
            results: results.collect(),
            matched_count: convert::count(done.matched),
            remaining_count: convert::count(done.remaining),
        })
    }

    fn named(&self, fields: &mut FieldViolations, ids: &wire::InvitationIds) -> Option<Which> {
        let field = "invitation_ids.invitation_ids";
        let max = self.context.batches.items_max;
        fields::uuids(fields, field, &ids.invitation_ids, max).map(Which::Named)
    }
}

fn sent(fields: &mut FieldViolations, filter: wire::SentFilter) -> Option<Which> {
    let sent_before = fields::optional_time(fields, "filter.sent_before", filter.sent_before)?;
    Some(Which::Selected {
        list: Place::Sent,
        sent_before,
        without_note: filter.without_note,
    })
}

fn received(fields: &mut FieldViolations, filter: wire::ReceivedFilter) -> Option<Which> {
    let sent_before = fields::optional_time(fields, "filter.sent_before", filter.sent_before);
    let list = match wire::InvitationBox::try_from(filter.r#box) {
        Ok(wire::InvitationBox::Unspecified | wire::InvitationBox::Received) => {
            Some(Place::Received)
        }
        Ok(wire::InvitationBox::Filtered) => Some(Place::Filtered),
        Ok(wire::InvitationBox::Sent) | Err(_) => {
            fields.push("filter.box", "must be RECEIVED or FILTERED");
            None
        }
    };
    Some(Which::Selected {
        list: list?,
        sent_before: sent_before?,
        without_note: filter.without_note,
    })
}

fn missing(fields: &mut FieldViolations) -> Option<Which> {
    fields.push("selection", "invitation_ids or filter must be given");
    None
}

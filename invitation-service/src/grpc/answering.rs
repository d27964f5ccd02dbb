//! What the invitee answers and the inviter takes back, on the wire.

use acquaint_proto::{connection::v1::Connection, invitation::v1 as wire};
use service_kit::{deadline::Deadline, fields, status::FieldViolations};
use tonic::Status;

use super::{Edge, convert, status};
use crate::usecase::{
    accept_invitation,
    end_invitation::{self, End},
};

impl Edge {
    pub(super) async fn accept(
        &self,
        request: wire::AcceptInvitationRequest,
        deadline: Deadline,
    ) -> Result<wire::AcceptInvitationResponse, Status> {
        let mut fields = FieldViolations::new();
        let named =
            convert::invitation_and_member(&mut fields, &request.invitation_id, &request.member_id);
        let Some((id, member)) = named else {
            return Err(fields::invalid(fields));
        };
        let accepted = accept_invitation::run(&self.context, member, id, deadline).await;
        let accepted = accepted.map_err(|failure| status::of(&failure, &*self.context.clock))?;
        let connection = accepted.connect_time.map(|connect_time| Connection {
            other_id: accepted.view.inviter.to_string(),
            connect_time: Some(fields::timestamp(connect_time)),
            // The card, and what either has noted about it, are shown by connection-service alone.
            ..Connection::default()
        });
        Ok(wire::AcceptInvitationResponse {
            invitation: Some(convert::to_invitation(accepted.view)),
            connection,
        })
    }

    pub(super) async fn decline(
        &self,
        request: wire::DeclineInvitationRequest,
        deadline: Deadline,
    ) -> Result<wire::DeclineInvitationResponse, Status> {
        let mut fields = FieldViolations::new();
        let reason = convert::decline_reason(&mut fields, request.reason);
        let ids = (&request.invitation_id, &request.member_id);
        let invitation = self
            .end(fields, ids, reason.map(End::Decline), deadline)
            .await?;
        Ok(wire::DeclineInvitationResponse {
            invitation: Some(invitation),
        })
    }

    pub(super) async fn undo(
        &self,
        request: wire::UndoDeclineRequest,
        deadline: Deadline,
    ) -> Result<wire::UndoDeclineResponse, Status> {
        let ids = (&request.invitation_id, &request.member_id);
        let invitation = self
            .end(
                FieldViolations::new(),
                ids,
                Some(End::UndoDecline),
                deadline,
            )
            .await?;
        Ok(wire::UndoDeclineResponse {
            invitation: Some(invitation),
        })
    }

    pub(super) async fn withdraw(
        &self,
        request: wire::WithdrawInvitationRequest,
        deadline: Deadline,
    ) -> Result<wire::WithdrawInvitationResponse, Status> {
        let ids = (&request.invitation_id, &request.member_id);
        let invitation = self
            .end(FieldViolations::new(), ids, Some(End::Withdraw), deadline)
            .await?;
        Ok(wire::WithdrawInvitationResponse {
            invitation: Some(invitation),
        })
    }

    async fn end(
        &self,
        mut fields: FieldViolations,
        (invitation_id, member_id): (&String, &String),
        end: Option<End>,
        deadline: Deadline,
    ) -> Result<wire::Invitation, Status> {
        let named = convert::invitation_and_member(&mut fields, invitation_id, member_id);
        let (Some((id, member)), Some(end)) = (named, end) else {
            return Err(fields::invalid(fields));
        };
        let view = end_invitation::run(&self.context, member, id, end, deadline).await;
        let view = view.map_err(|failure| status::of(&failure, &*self.context.clock))?;
        Ok(convert::to_invitation(view))
    }
}

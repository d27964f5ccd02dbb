//! `SendInvitation` on the wire.

use acquaint_proto::invitation::v1 as wire;
use service_kit::{deadline::Deadline, fields, status::FieldViolations};
use tonic::Status;
use uuid::Uuid;

use super::{Edge, convert, status};
use crate::{
    domain::{
        note::{Note, Source},
        policy::Policy,
    },
    store::command::send::SendInvitation,
    usecase::send_invitation::{self, SentResult},
};

impl Edge {
    pub(super) async fn send(
        &self,
        request: wire::SendInvitationRequest,
        deadline: Deadline,
    ) -> Result<wire::SendInvitationResponse, Status> {
        let mut fields = FieldViolations::new();
        let Some(command) = read(&mut fields, &self.context.policy, &request) else {
            return Err(fields::invalid(fields));
        };
        let sent = send_invitation::run(&self.context, command, unnamed(), deadline).await;
        let sent = sent.map_err(|failure| status::of(&failure, &*self.context.clock))?;
        let outcome = match sent.result {
            SentResult::Sent => wire::SendOutcome::Sent,
            SentResult::Accepting => wire::SendOutcome::Accepting,
            SentResult::Connected => wire::SendOutcome::Connected,
        };
        Ok(wire::SendInvitationResponse {
            invitation: Some(convert::to_invitation(sent.view)),
            outcome: outcome.into(),
            quota: Some(convert::to_quota(&sent.quota)),
        })
    }
}

fn read(
    fields: &mut FieldViolations,
    policy: &Policy,
    request: &wire::SendInvitationRequest,
) -> Option<SendInvitation> {
    let inviter = fields::member_id(fields, "inviter_id", &request.inviter_id);
    let invitee = fields::member_id(fields, "invitee_id", &request.invitee_id);
    let note = Note::parse(&request.note, policy.note_chars_max);
    let note = note.map_err(|rule| fields.push("note", rule.to_string()));
    let source = Source::parse(&request.source, policy.source_chars_max);
    let source = source.map_err(|rule| fields.push("source", rule.to_string()));
    let request_id = match request.request_id.as_str() {
        "" => Some(None),
        text => fields::uuid(fields, "request_id", text).map(Some),
    };
    Some(SendInvitation {
        inviter: inviter?,
        invitee: invitee?,
        note: note.ok()?,
        source: source.ok()?,
        request_id: request_id?,
        told: None,
    })
}

/// Stands for a call without a request id.
#[allow(
    clippy::disallowed_methods,
    reason = "only tells calls of this process apart in the limiter; nothing is decided by it"
)]
fn unnamed() -> u64 {
    Uuid::new_v4().as_u64_pair().1
}

//! Calls over the simulated wire, and what their answers come to.
//!
//! Deliberately absent: asking again.

mod noting;

use std::time::Duration;

use acquaint_proto::{
    connection::v1 as connection,
    invitation::v1::{self as invitation, InvitationBox},
};
use tonic::{Code, Request, Response, Status};

use super::{
    history::{Connection, History, Lists, Op, Outcome},
    network::channel,
    plan::host,
    service::{CONNECTION_PORT, INVITATION_PORT},
};
use crate::{Blocks, Connections, Invitations, refusal::Refusal};

/// A page that holds everything that members of a run can have.
const PAGE_SIZE: i32 = 100;
/// How long looking at a list may take.
const LOOK_WAIT: Duration = Duration::from_secs(1);

/// The clients of a device.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Of invitation-service.
    pub(crate) invitations: Invitations,
    /// Of connection-service.
    pub(crate) connections: Connections,
    /// Likewise.
    pub(crate) blocks: Blocks,
}

fn within<T>(wait: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(wait);
    request
}

/// Waits as long as was said to the service, for an answer may never arrive.
async fn answer<T>(
    wait: Duration,
    call: impl Future<Output = Result<Response<T>, Status>>,
) -> Result<T, Status> {
    match tokio::time::timeout(wait, call).await {
        Ok(answer) => answer.map(Response::into_inner),
        Err(_) => Err(Status::deadline_exceeded("no answer")),
    }
}

impl Default for Caller {
    fn default() -> Self {
        Self::new()
    }
}

impl Caller {
    /// Connects when it is used.
    pub(crate) fn new() -> Self {
        let connection = channel(host::CONNECTION, CONNECTION_PORT);
        Self {
            invitations: Invitations::new(channel(host::INVITATION, INVITATION_PORT)),
            connections: Connections::new(connection.clone()),
            blocks: Blocks::new(connection),
        }
    }

    /// Asks twice at the same time, as a device does that would not wait; the answers must agree. Also: whether one of the two may have taken
    /// effect though the other is what is answered.
    pub(crate) async fn twice(
        &self,
        member: &str,
        op: &Op,
        wait: Duration,
        history: &History,
    ) -> (Outcome, bool) {
        let (one, other) = tokio::join!(
            self.call(member, op, wait, history),
            self.call(member, op, wait, history)
        );
        if let (Outcome::Sent(one), Outcome::Sent(other)) = (&one, &other) {
            history.check_same_answer(member, one, other);
        }
        let refused = |outcome: &Outcome| matches!(outcome, Outcome::Refused(_));
        let in_doubt = [&one, &other].contains(&&Outcome::InDoubt);
        let either = in_doubt || refused(&one) != refused(&other);
        let answered = if one == Outcome::InDoubt { other } else { one };
        (answered, either)
    }

    /// Asks once.
    pub(crate) async fn call(
        &self,
        member: &str,
        op: &Op,
        wait: Duration,
        history: &History,
    ) -> Outcome {
        match self.attempt(member, op, wait).await {
            Ok(outcome) => outcome,
            Err(status) => judged(op, &status, history),
        }
    }

    async fn attempt(&self, member: &str, op: &Op, wait: Duration) -> Result<Outcome, Status> {
        match op {
            Op::Remove(_) | Op::Block(_) | Op::Unblock(_) => {
                self.attempt_connection(member, op, wait).await
            }
            Op::Close(_) | Op::Unbar(_) | Op::MarkSeen => self.attempt_own(member, op, wait).await,
            Op::Import { .. }
            | Op::Note { .. }
            | Op::Relabel(..)
            | Op::Unlabel(_)
            | Op::Dismiss(_) => self.attempt_noting(member, op, wait).await,
            _ => self.attempt_invitation(member, op, wait).await,
        }
    }

    /// What connection-service is asked.
    async fn attempt_connection(
        &self,
        member: &str,
        op: &Op,
        wait: Duration,
    ) -> Result<Outcome, Status> {
        let member_id = member.to_owned();
        let (mut connections, mut blocks) = (self.connections.clone(), self.blocks.clone());
        match op.clone() {
            Op::Remove(other_id) => {
                let message = connection::RemoveConnectionRequest {
                    member_id,
                    other_id,
                    connect_time: None,
                };
                done(answer(wait, connections.remove_connection(within(wait, message))).await)
            }
            Op::Block(other_id) => {
                let message = connection::BlockMemberRequest {
                    member_id,
                    other_id,
                };
                done(answer(wait, blocks.block_member(within(wait, message))).await)
            }
            Op::Unblock(other_id) => {
                let message = connection::UnblockMemberRequest {
                    member_id,
                    other_id,
                };
                done(answer(wait, blocks.unblock_member(within(wait, message))).await)
            }
            _ => unreachable!("asked of invitation-service: {op:?}"),
        }
    }

    /// What a member does on their own account.
    async fn attempt_own(&self, member: &str, op: &Op, wait: Duration) -> Result<Outcome, Status> {
        let member_id = member.to_owned();
        let mut invitations = self.invitations.clone();
        match op.clone() {
            Op::Close(closed) => {
                let who = if closed {
                    invitation::WhoCanInvite::Nobody
                } else {
                    invitation::WhoCanInvite::Everyone
                };
                let message = invitation::UpdateInvitationPreferencesRequest {
                    member_id,
                    preferences: Some(invitation::InvitationPreferences {
                        who_can_invite: who.into(),
                        auto_withdraw_after: None,
                    }),
                    update_mask: Some(prost_types::FieldMask {
                        paths: vec!["who_can_invite".to_owned()],
                    }),
                };
                let updated = invitations.update_invitation_preferences(within(wait, message));
                done(answer(wait, updated).await)
            }
            Op::Unbar(inviter_id) => {
                let message = invitation::UnbarInviterRequest {
                    member_id,
                    inviter_id,
                };
                done(answer(wait, invitations.unbar_inviter(within(wait, message))).await)
            }
            Op::MarkSeen => {
                let message = invitation::MarkInvitationsSeenRequest {
                    member_id,
                    // All that there is.
                    seen_until: Some(prost_types::Timestamp {
                        seconds: 4_000_000_000,
                        nanos: 0,
                    }),
                };
                done(
                    answer(
                        wait,
                        invitations.mark_invitations_seen(within(wait, message)),
                    )
                    .await,
                )
            }
            _ => unreachable!("not on one's own account: {op:?}"),
        }
    }

    /// What becomes of an invitation.
    async fn attempt_invitation(
        &self,
        member: &str,
        op: &Op,
        wait: Duration,
    ) -> Result<Outcome, Status> {
        let member_id = member.to_owned();
        let mut invitations = self.invitations.clone();
        match op.clone() {
            Op::Send { to, request } => {
                let message = invitation::SendInvitationRequest {
                    inviter_id: member_id,
                    invitee_id: to,
                    note: "Shall we?".to_owned(),
                    source: String::new(),
                    request_id: request,
                };
                let sent = invitations.send_invitation(within(wait, message));
                answer(wait, sent)
                    .await
                    .map(|sent| Outcome::Sent(Box::new(sent)))
            }
            Op::Accept(invitation_id) => {
                let message = invitation::AcceptInvitationRequest {
                    invitation_id,
                    member_id,
                };
                let accepted = invitations.accept_invitation(within(wait, message));
                let connected = answer(wait, accepted).await?.connection.is_some();
                Ok(Outcome::Accepted { connected })
            }
            Op::Decline { id, report } => {
                let reason = if report {
                    invitation::DeclineReason::DontKnow
                } else {
                    invitation::DeclineReason::NotNow
                };
                let message = invitation::DeclineInvitationRequest {
                    invitation_id: id,
                    member_id,
                    reason: reason.into(),
                };
                done(answer(wait, invitations.decline_invitation(within(wait, message))).await)
            }
            Op::Undo(invitation_id) => {
                let message = invitation::UndoDeclineRequest {
                    invitation_id,
                    member_id,
                };
                done(answer(wait, invitations.undo_decline(within(wait, message))).await)
            }
            Op::Withdraw(invitation_id) => {
                let message = invitation::WithdrawInvitationRequest {
                    invitation_id,
                    member_id,
                };
                done(answer(wait, invitations.withdraw_invitation(within(wait, message))).await)
            }
            _ => unreachable!("no invitation: {op:?}"),
        }
    }

    /// What the member has received: the ids, and from whom.
    pub(crate) async fn received(&self, member: &str) -> Result<Vec<(String, String)>, Status> {
        let listed = self.listed(member, InvitationBox::Received).await?;
        let listed = listed.into_iter();
        Ok(listed
            .map(|one| (one.invitation_id, one.inviter_id))
            .collect())
    }

    /// The ids of what the member has sent.
    pub(crate) async fn sent(&self, member: &str) -> Result<Vec<String>, Status> {
        self.ids(member, InvitationBox::Sent).await
    }

    async fn ids(&self, member: &str, list: InvitationBox) -> Result<Vec<String>, Status> {
        let listed = self.listed(member, list).await?;
        Ok(listed.into_iter().map(|one| one.invitation_id).collect())
    }

    /// One of the member's lists.
    pub(crate) async fn listed(
        &self,
        member: &str,
        list: InvitationBox,
    ) -> Result<Vec<invitation::Invitation>, Status> {
        let message = invitation::ListInvitationsRequest {
            member_id: member.to_owned(),
            r#box: list.into(),
            page_size: PAGE_SIZE,
            ..Default::default()
        };
        let mut client = self.invitations.clone();
        let listed = client.list_invitations(within(LOOK_WAIT, message));
        Ok(answer(LOOK_WAIT, listed).await?.invitations)
    }

    /// Whom the member is connected with.
    pub(crate) async fn connected(
        &self,
        member: &str,
    ) -> Result<Vec<connection::Connection>, Status> {
        let message = connection::ListConnectionsRequest {
            member_id: member.to_owned(),
            page_size: PAGE_SIZE,
            ..Default::default()
        };
        let mut client = self.connections.clone();
        let listed = client.list_connections(within(LOOK_WAIT, message));
        Ok(answer(LOOK_WAIT, listed).await?.connections)
    }

    /// All that the member's own lists hold.
    pub(crate) async fn lists(&self, member: &str) -> Result<Lists, Status> {
        let member_id = member.to_owned();
        let counts = invitation::CountInvitationsRequest {
            member_id: member_id.clone(),
        };
        let counts = self
            .invitations
            .clone()
            .count_invitations(within(LOOK_WAIT, counts))
            .await?;
        let blocked = connection::ListBlockedMembersRequest {
            member_id: member_id.clone(),
            page_size: PAGE_SIZE,
            ..Default::default()
        };
        let blocked = self
            .blocks
            .clone()
            .list_blocked_members(within(LOOK_WAIT, blocked))
            .await?;
        let blocked = blocked.into_inner().blocked_members.into_iter();
        let preferences = invitation::GetInvitationPreferencesRequest { member_id };
        let preferences = within(LOOK_WAIT, preferences);
        let preferences = self
            .invitations
            .clone()
            .get_invitation_preferences(preferences)
            .await?;
        let preferences = preferences.into_inner().preferences.unwrap_or_default();
        let connected = self.connected(member).await?.into_iter();
        Ok(Lists {
            invitations: [
                self.ids(member, InvitationBox::Sent).await?,
                self.ids(member, InvitationBox::Received).await?,
                self.ids(member, InvitationBox::Filtered).await?,
            ],
            counts: counts.into_inner(),
            connections: connected
                .map(|one| Connection {
                    other: one.other_id,
                    labels: one.labels,
                    note: one.private_note,
                })
                .collect(),
            labels: self.labels(member).await?,
            blocked: blocked.map(|one| one.other_id).collect(),
            closed: preferences.who_can_invite() == invitation::WhoCanInvite::Nobody,
        })
    }
}

fn done<T>(answer: Result<T, Status>) -> Result<Outcome, Status> {
    answer.map(|_| Outcome::Done)
}

/// What a failed attempt means.
fn judged(op: &Op, status: &Status, history: &History) -> Outcome {
    match status.code() {
        Code::Unavailable
        | Code::DeadlineExceeded
        | Code::Cancelled
        | Code::Unknown
        | Code::Aborted => Outcome::InDoubt,
        // The transport says so of a connection that broke; the services never without a reason.
        Code::Internal if status.details().is_empty() => Outcome::InDoubt,
        _ => {
            let reason = Refusal::of(status).reason;
            if reason == "RECIPIENT_UNAVAILABLE" {
                let mut bytes = status.message().as_bytes().to_vec();
                bytes.extend_from_slice(status.details());
                history.record_masked(bytes);
            }
            if matches!(
                reason.as_str(),
                "INTERNAL" | "INVALID_FIELD" | "REQUEST_ID_REUSED"
            ) {
                history.violation(format!("{op:?} was answered {reason}"));
            }
            Outcome::Refused(reason)
        }
    }
}

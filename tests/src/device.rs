//! A device that a member holds: clients on a connection of its own, so that the calls of two devices really meet.
//!
//! Deliberately absent: reading. What came of it all is read through the pair's own clients.

use acquaint_proto::{connection::v1 as connection, invitation::v1 as invitation};
use tonic::{Response, Status};

use crate::{
    Blocks, Connections, Invitations,
    pair::{Pair, channel},
};

/// Clients of both services on connections of their own.
#[derive(Clone)]
pub struct Device {
    /// Client of `InvitationService`.
    pub invitations: Invitations,
    /// Client of `ConnectionService`.
    pub connections: Connections,
    /// Client of `BlockService`.
    pub blocks: Blocks,
}

impl Device {
    /// A device that has not connected yet.
    pub fn of(pair: &Pair) -> Self {
        Self::at(&pair.invitation_address(), &pair.connection_address())
    }

    /// A device that has not connected yet, of services that listen there: `HOST:PORT`.
    pub fn at(invitations: &str, connections: &str) -> Self {
        let connections = channel(connections);
        Self {
            invitations: Invitations::new(channel(invitations)),
            connections: Connections::new(connections.clone()),
            blocks: Blocks::new(connections),
        }
    }

    /// Sends an invitation without anything further.
    pub async fn send(
        mut self,
        inviter: String,
        invitee: String,
    ) -> Result<invitation::SendInvitationResponse, Status> {
        let request = invitation::SendInvitationRequest {
            inviter_id: inviter,
            invitee_id: invitee,
            ..Default::default()
        };
        let answer = self.invitations.send_invitation(request).await;
        answer.map(Response::into_inner)
    }

    /// Sends an invitation.
    pub async fn send_with(
        mut self,
        request: invitation::SendInvitationRequest,
    ) -> Result<invitation::SendInvitationResponse, Status> {
        let answer = self.invitations.send_invitation(request).await;
        answer.map(Response::into_inner)
    }

    /// Accepts an invitation.
    pub async fn accept(
        mut self,
        member: String,
        id: String,
    ) -> Result<invitation::AcceptInvitationResponse, Status> {
        let request = invitation::AcceptInvitationRequest {
            invitation_id: id,
            member_id: member,
        };
        let answer = self.invitations.accept_invitation(request).await;
        answer.map(Response::into_inner)
    }

    /// Declines an invitation.
    pub async fn decline(
        mut self,
        member: String,
        id: String,
    ) -> Result<invitation::Invitation, Status> {
        let request = invitation::DeclineInvitationRequest {
            invitation_id: id,
            member_id: member,
            reason: invitation::DeclineReason::NotNow.into(),
        };
        let answer = self.invitations.decline_invitation(request).await?;
        Ok(answer.into_inner().invitation.unwrap())
    }

    /// Withdraws an invitation.
    pub async fn withdraw(
        mut self,
        member: String,
        id: String,
    ) -> Result<invitation::Invitation, Status> {
        let request = invitation::WithdrawInvitationRequest {
            invitation_id: id,
            member_id: member,
        };
        let answer = self.invitations.withdraw_invitation(request).await?;
        Ok(answer.into_inner().invitation.unwrap())
    }

    /// Ends a connection.
    pub async fn remove(mut self, member: String, other: String) -> Result<(), Status> {
        let request = connection::RemoveConnectionRequest {
            member_id: member,
            other_id: other,
            connect_time: None,
        };
        self.connections.remove_connection(request).await.map(drop)
    }

    /// Blocks a member.
    pub async fn block(mut self, member: String, other: String) -> Result<(), Status> {
        let request = connection::BlockMemberRequest {
            member_id: member,
            other_id: other,
        };
        self.blocks.block_member(request).await.map(drop)
    }
}

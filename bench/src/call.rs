//! One call, ready to be made: the request, where it goes, and what answer it must have.
//!
//! Deliberately absent: which calls are made (`kind.rs`) and when (`load.rs`).

use acquaint_proto::{
    connection::v1::{
        self as connection, block_service_client::BlockServiceClient,
        connection_service_client::ConnectionServiceClient,
    },
    invitation::v1::{self as invitation, invitation_service_client::InvitationServiceClient},
};
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

use crate::empty::v1::{self as empty, empty_service_client::EmptyServiceClient};

/// Where the processes listen.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    /// invitation-service.
    pub(crate) invitation: String,
    /// connection-service.
    pub(crate) connection: String,
    /// The empty method on tonic's server.
    pub(crate) empty: String,
    /// The empty method on the services' server.
    pub(crate) empty_kit: String,
}

/// Clients of everything, on one connection to each process.
#[derive(Debug, Clone)]
pub(crate) struct Clients {
    /// Invitations.
    pub(crate) invitations: InvitationServiceClient<Channel>,
    /// Connections.
    pub(crate) connections: ConnectionServiceClient<Channel>,
    blocks: BlockServiceClient<Channel>,
    empty: EmptyServiceClient<Channel>,
    empty_kit: EmptyServiceClient<Channel>,
}

impl Clients {
    /// Clients that connect when they are first used.
    pub(crate) fn new(urls: &Urls) -> anyhow::Result<Self> {
        let channel = |url: &str| -> anyhow::Result<Channel> {
            let endpoint = Endpoint::from_shared(url.to_owned())?;
            Ok(endpoint.tcp_nodelay(true).connect_lazy())
        };
        let connection = channel(&urls.connection)?;
        Ok(Self {
            invitations: InvitationServiceClient::new(channel(&urls.invitation)?),
            connections: ConnectionServiceClient::new(connection.clone()),
            blocks: BlockServiceClient::new(connection),
            empty: EmptyServiceClient::new(channel(&urls.empty)?),
            empty_kit: EmptyServiceClient::new(channel(&urls.empty_kit)?),
        })
    }
}

/// A call.
#[derive(Debug, Clone)]
pub(crate) enum Call {
    /// Nothing, of tonic's server.
    Empty,
    /// Nothing, of the services' server.
    EmptyKit,
    /// Sends to somebody who has sent nothing: a new invitation.
    Send(invitation::SendInvitationRequest),
    /// Sends to somebody whose invitation waits: accepts it.
    Crossing(invitation::SendInvitationRequest),
    /// Accepts.
    Accept(invitation::AcceptInvitationRequest),
    /// Declines.
    Decline(invitation::DeclineInvitationRequest),
    /// Withdraws.
    Withdraw(invitation::WithdrawInvitationRequest),
    /// Looks one invitation up.
    Get(invitation::GetInvitationRequest),
    /// Lists invitations; the page must be full.
    List(invitation::ListInvitationsRequest),
    /// Counts a member's invitations.
    Counts(invitation::CountInvitationsRequest),
    /// Asks whose invitation is live between a member and others.
    States(invitation::BatchGetInvitationStatesRequest),
    /// Asks what a member has used of their limits.
    Quota(invitation::GetInvitationQuotaRequest),
    /// Asks what two are to each other.
    Relationship(connection::GetRelationshipRequest),
    /// Lists connections; the page must be full.
    Connections(connection::ListConnectionsRequest),
    /// Notes something about a connection.
    Annotate(connection::UpdateConnectionRequest),
    /// Asks how far apart a member and others are; all must be known.
    Degrees(connection::BatchGetRelationshipsRequest),
    /// Lists connections in common; there must be some.
    Mutual(connection::ListMutualConnectionsRequest),
    /// Suggests connections; there must be some.
    Suggest(connection::SuggestConnectionsRequest),
    /// Ends a connection.
    Remove(connection::RemoveConnectionRequest),
    /// Blocks.
    Block(connection::BlockMemberRequest),
    /// Lifts a block.
    Unblock(connection::UnblockMemberRequest),
}

impl Call {
    /// Makes the call. Fails also when the answer is not the one that is measured.
    pub(crate) async fn make(self, clients: &mut Clients) -> Result<(), Status> {
        let Clients {
            invitations,
            connections,
            blocks,
            empty,
            empty_kit,
        } = clients;
        match self {
            Self::Empty => empty.call(empty::CallRequest {}).await.map(drop),
            Self::EmptyKit => empty_kit.call(empty::CallRequest {}).await.map(drop),
            Self::Send(request) => {
                let answer = invitations.send_invitation(request).await?;
                outcome(answer.get_ref(), invitation::SendOutcome::Sent)
            }
            Self::Crossing(request) => {
                let answer = invitations.send_invitation(request).await?;
                outcome(answer.get_ref(), invitation::SendOutcome::Connected)
            }
            Self::Accept(request) => {
                let answer = invitations.accept_invitation(request).await?;
                expect(answer.get_ref().connection.is_some(), "not connected")
            }
            Self::Decline(request) => invitations.decline_invitation(request).await.map(drop),
            Self::Withdraw(request) => invitations.withdraw_invitation(request).await.map(drop),
            Self::Get(request) => invitations.get_invitation(request).await.map(drop),
            Self::List(request) => {
                let size = request.page_size;
                let answer = invitations.list_invitations(request).await?;
                full(answer.get_ref().invitations.len(), size)
            }
            Self::Counts(request) => invitations.count_invitations(request).await.map(drop),
            Self::States(request) => {
                let answer = invitations.batch_get_invitation_states(request).await;
                answer.map(drop)
            }
            Self::Quota(request) => invitations.get_invitation_quota(request).await.map(drop),
            Self::Relationship(request) => connections.get_relationship(request).await.map(drop),
            Self::Connections(request) => {
                let size = request.page_size;
                let answer = connections.list_connections(request).await?;
                full(answer.get_ref().connections.len(), size)
            }
            Self::Annotate(request) => connections.update_connection(request).await.map(drop),
            Self::Degrees(request) => {
                let answer = connections.batch_get_relationships(request).await?;
                let mut found = answer.get_ref().relationships.iter();
                let known = found.all(|one| one.degree() != connection::Degree::Unspecified);
                expect(known, "a degree is not known")
            }
            Self::Mutual(request) => {
                let answer = connections.list_mutual_connections(request).await?;
                expect(answer.get_ref().total_size > 0, "nobody in common")
            }
            Self::Suggest(request) => {
                let answer = connections.suggest_connections(request).await?;
                expect(!answer.get_ref().suggestions.is_empty(), "nobody suggested")
            }
            Self::Remove(request) => connections.remove_connection(request).await.map(drop),
            Self::Block(request) => blocks.block_member(request).await.map(drop),
            Self::Unblock(request) => blocks.unblock_member(request).await.map(drop),
        }
    }
}

fn outcome(
    answer: &invitation::SendInvitationResponse,
    expected: invitation::SendOutcome,
) -> Result<(), Status> {
    expect(answer.outcome() == expected, answer.outcome().as_str_name())
}

fn full(length: usize, size: i32) -> Result<(), Status> {
    expect(
        i32::try_from(length) == Ok(size),
        &format!("a page of {length} instead of {size}"),
    )
}

fn expect(right: bool, otherwise: &str) -> Result<(), Status> {
    if right {
        Ok(())
    } else {
        Err(Status::internal(otherwise))
    }
}

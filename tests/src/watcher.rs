//! Watching either service, and folding what a member is told into the lists that the member has.
//!
//! Deliberately absent: coming back by itself. When to break off and where to resume is the tests'.

use std::{collections::BTreeMap, future::Future, time::Duration};

use acquaint_proto::{
    connection::v1::{
        self as connection, WatchConnectionsRequest, WatchConnectionsResponse,
        member_connection_event::Change as ConnectionChange,
        watch_connections_response::Content as ConnectionContent,
    },
    invitation::v1::{
        self as invitation, Invitation, InvitationBox, WatchInvitationsRequest,
        WatchInvitationsResponse, member_invitation_event::Change as InvitationChange,
        watch_invitations_response::Content as InvitationContent,
    },
};
use prost_types::Timestamp;
use tonic::{Status, Streaming};

use crate::{Connections, Invitations, pair::Pair, wait::PATIENCE};

/// Whose events are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One member's.
    Member(String),
    /// Everybody's.
    AllMembers,
}

impl Scope {
    /// One member's.
    pub fn member(member: &str) -> Self {
        Self::Member(member.to_owned())
    }
}

/// A message of a watch.
pub trait Message: Sized + Send + 'static {
    /// The client of the service that is watched.
    type Client: Send;

    /// The client of a running pair.
    fn client(pair: &Pair) -> Self::Client;
    /// Asks for the stream.
    fn ask(
        client: Self::Client,
        scope: Scope,
        token: String,
    ) -> impl Future<Output = Result<Streaming<Self>, Status>> + Send;
    /// The token that resumes after this message.
    fn token(&self) -> &str;
    /// Whether it only shows that the stream lives.
    fn is_heartbeat(&self) -> bool;
}

impl Message for WatchInvitationsResponse {
    type Client = Invitations;

    fn client(pair: &Pair) -> Invitations {
        pair.invitations.clone()
    }

    async fn ask(
        mut client: Invitations,
        scope: Scope,
        token: String,
    ) -> Result<Streaming<Self>, Status> {
        use invitation::watch_invitations_request::Scope as Wire;
        let request = WatchInvitationsRequest {
            scope: Some(match scope {
                Scope::Member(member) => Wire::MemberId(member),
                Scope::AllMembers => Wire::AllMembers(true),
            }),
            resume_token: token,
        };
        let stream = client.watch_invitations(request).await?;
        Ok(stream.into_inner())
    }

    fn token(&self) -> &str {
        &self.resume_token
    }

    fn is_heartbeat(&self) -> bool {
        matches!(self.content, Some(InvitationContent::Heartbeat(_)))
    }
}

impl Message for WatchConnectionsResponse {
    type Client = Connections;

    fn client(pair: &Pair) -> Connections {
        pair.connections.clone()
    }

    async fn ask(
        mut client: Connections,
        scope: Scope,
        token: String,
    ) -> Result<Streaming<Self>, Status> {
        use connection::watch_connections_request::Scope as Wire;
        let request = WatchConnectionsRequest {
            scope: Some(match scope {
                Scope::Member(member) => Wire::MemberId(member),
                Scope::AllMembers => Wire::AllMembers(true),
            }),
            resume_token: token,
        };
        let stream = client.watch_connections(request).await?;
        Ok(stream.into_inner())
    }

    fn token(&self) -> &str {
        &self.resume_token
    }

    fn is_heartbeat(&self) -> bool {
        matches!(self.content, Some(ConnectionContent::Heartbeat(_)))
    }
}

/// A watch under way.
pub struct Watcher<M> {
    stream: Streaming<M>,
    /// The token of the last message, heartbeats included.
    pub token: String,
}

/// A watch of `WatchInvitations`.
pub type InvitationWatcher = Watcher<WatchInvitationsResponse>;
/// A watch of `WatchConnections`.
pub type ConnectionWatcher = Watcher<WatchConnectionsResponse>;

impl<M: Message> Watcher<M> {
    /// Begins after a token, or now with an empty one; fails with the refusal. The first message must be a heartbeat.
    pub async fn after(pair: &Pair, scope: Scope, token: &str) -> Result<Self, Status> {
        Self::with(M::client(pair), scope, token).await
    }

    /// Begins with this client.
    pub async fn with(client: M::Client, scope: Scope, token: &str) -> Result<Self, Status> {
        let stream = M::ask(client, scope, token.to_owned()).await?;
        let mut watcher = Self {
            stream,
            token: token.to_owned(),
        };
        let first = watcher.message().await?;
        assert!(first.is_heartbeat(), "the first message is a heartbeat");
        Ok(watcher)
    }

    /// Begins now.
    pub async fn now(pair: &Pair, scope: Scope) -> Self {
        Self::after(pair, scope, "").await.unwrap()
    }

    /// The next message that says something.
    pub async fn next(&mut self) -> Result<M, Status> {
        loop {
            let message = self.message().await?;
            if !message.is_heartbeat() {
                return Ok(message);
            }
        }
    }

    /// The next message that says something, if it comes within so long.
    pub async fn next_within(&mut self, limit: Duration) -> Option<M> {
        let next = tokio::time::timeout(limit, self.next()).await;
        next.ok().map(Result::unwrap)
    }

    async fn message(&mut self) -> Result<M, Status> {
        let message = tokio::time::timeout(PATIENCE, self.stream.message()).await;
        let message = message.unwrap_or_else(|_| panic!("no message within {PATIENCE:?}"));
        let message = message?.ok_or_else(|| Status::aborted("the stream ended without a word"))?;
        message.token().clone_into(&mut self.token);
        Ok(message)
    }
}

/// A member's three lists of invitations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InvitationLists(pub BTreeMap<String, (InvitationBox, Invitation)>);

impl InvitationLists {
    /// As the service lists them.
    pub async fn of(pair: &Pair, member: &str) -> Self {
        Self::listed(&pair.invitations, member).await.unwrap()
    }

    /// As the service lists them to this client.
    pub async fn listed(client: &Invitations, member: &str) -> Result<Self, Status> {
        let mut lists = BTreeMap::new();
        for list in [
            InvitationBox::Sent,
            InvitationBox::Received,
            InvitationBox::Filtered,
        ] {
            let request = invitation::ListInvitationsRequest {
                member_id: member.to_owned(),
                r#box: list.into(),
                page_size: 1_000,
                ..Default::default()
            };
            let listed = client.clone().list_invitations(request).await?;
            for one in listed.into_inner().invitations {
                lists.insert(one.invitation_id.clone(), (list, one));
            }
        }
        Ok(Self(lists))
    }

    /// Folds a message of the member's watch. An invitation that goes though it was not there is given back: what came and went while
    /// nobody watched is to be silent.
    #[must_use]
    pub fn fold(&mut self, message: &WatchInvitationsResponse) -> Option<String> {
        let Some(InvitationContent::MemberEvent(event)) = &message.content else {
            panic!("not an event of a member: {message:?}");
        };
        match event.change.as_ref().unwrap() {
            InvitationChange::Listed(listed) => {
                let one = listed.invitation.clone().unwrap();
                self.0
                    .insert(one.invitation_id.clone(), (listed.r#box(), one));
            }
            InvitationChange::Gone(gone) => {
                let was = self.0.remove(&gone.invitation_id);
                return was.is_none().then(|| gone.invitation_id.clone());
            }
            InvitationChange::Seen(seen) => {
                for (id, (_, one)) in &mut self.0 {
                    if one.seen.is_some() && *id <= seen.until_invitation_id {
                        one.seen = Some(true);
                    }
                }
            }
        }
        None
    }
}

/// A member's list of connections: with whom, since when.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConnectionList(pub BTreeMap<String, Option<Timestamp>>);

impl ConnectionList {
    /// As the service lists it.
    pub async fn of(pair: &Pair, member: &str) -> Self {
        Self::listed(&pair.connections, member).await.unwrap()
    }

    /// As the service lists it to this client.
    pub async fn listed(client: &Connections, member: &str) -> Result<Self, Status> {
        let request = connection::ListConnectionsRequest {
            member_id: member.to_owned(),
            page_size: 1_000,
            ..Default::default()
        };
        let listed = client.clone().list_connections(request).await?.into_inner();
        let listed = listed.connections.into_iter();
        Ok(Self(
            listed.map(|one| (one.other_id, one.connect_time)).collect(),
        ))
    }

    /// Folds a message of the member's watch. A connection that goes though it was not there is given back.
    #[must_use]
    pub fn fold(&mut self, message: &WatchConnectionsResponse) -> Option<String> {
        let Some(ConnectionContent::MemberEvent(event)) = &message.content else {
            panic!("not an event of a member: {message:?}");
        };
        match event.change.as_ref().unwrap() {
            ConnectionChange::Connected(one) => {
                self.0.insert(one.other_id.clone(), one.connect_time);
            }
            ConnectionChange::Gone(gone) => {
                let was = self.0.remove(&gone.other_id);
                return was.is_none().then(|| gone.other_id.clone());
            }
        }
        None
    }
}

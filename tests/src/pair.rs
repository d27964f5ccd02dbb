//! Both services in this process, on files and sockets of their own and a clock that the test moves.
//!
//! Either can be stopped and started again on its files, as a new process would.

mod connections;
mod labels;
mod service;
mod setup;

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use acquaint_proto::invitation::v1 as invitation;
use service_kit::{
    balance::HttpHosts,
    clock::{Clock, ManualClock, SystemClock},
    config::StoreAddress,
    observability::ObservabilityOptions,
    sqlite::{SqliteOptions, Synchronous},
    time::{Span, Time},
};
use tempfile::TempDir;
use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tonic::{
    Status,
    transport::{Channel, Endpoint},
};

pub use self::{
    service::Replica,
    setup::{Databases, Setup},
};

use self::service::Service;
use crate::{
    Blocks, Connections, Facts, Invitations, Members, Standings, credentials::Credentials,
    engines::postgres_options, postgres::connect, wait::eventually,
};

/// When the clock of a test begins: 2026-01-01T00:00:00Z.
pub const START: Time = Time::from_millis(1_767_225_600_000);

/// Both services, running.
pub struct Pair {
    /// The clock of both, unless the setup says otherwise.
    pub clock: ManualClock,
    /// Client of `InvitationService`.
    pub invitations: Invitations,
    /// Client of `ConnectionService`.
    pub connections: Connections,
    /// Client of `BlockService`.
    pub blocks: Blocks,
    /// Client of `MemberService`.
    pub members: Members,
    /// Client of the internal `FactService`.
    pub facts: Facts,
    /// The tokens of callers, where the setup asks for them.
    pub credentials: Credentials,
    setup: Setup,
    folder: TempDir,
    invitation: Service,
    connection: Service,
    /// The addresses of connection-service that invitation-service calls.
    called: Vec<SocketAddr>,
}

impl Pair {
    /// Starts both with the defaults.
    pub async fn start() -> Self {
        Self::with(Setup::default()).await
    }

    /// Starts both, and waits until the feed between them is followed.
    pub async fn with(setup: Setup) -> Self {
        let folder = folder();
        let clock = ManualClock::new(START);
        let (invitation, connection) = (Service::new(), Service::new());
        let (invitation_channel, connection_channel) =
            (channel(invitation.address), channel(connection.address));
        let mut pair = Self {
            clock,
            invitations: Invitations::new(invitation_channel),
            connections: Connections::new(connection_channel.clone()),
            blocks: Blocks::new(connection_channel.clone()),
            members: Members::new(connection_channel.clone()),
            facts: Facts::new(connection_channel),
            setup,
            credentials: Credentials::make(folder.path()),
            folder,
            invitation,
            called: vec![connection.address],
            connection,
        };
        pair.start_connection_service().await;
        pair.start_invitation_service().await;
        pair.wait_for_feed().await;
        pair
    }

    /// The store of invitation-service.
    pub fn invitation_file(&self) -> PathBuf {
        self.folder.path().join("invitations.db")
    }

    /// The store of connection-service.
    pub fn connection_file(&self) -> PathBuf {
        self.folder.path().join("connections.db")
    }

    /// Where invitation-service listens: `HOST:PORT`.
    pub fn invitation_address(&self) -> String {
        self.invitation.address.to_string()
    }

    /// Whoever operates invitation-service.
    pub async fn operator(&self) -> Standings {
        let address = format!("http://{}", self.invitation_address());
        Standings::connect(address).await.unwrap()
    }

    /// Where connection-service listens: `HOST:PORT`.
    pub fn connection_address(&self) -> String {
        self.connection.address.to_string()
    }

    /// A way to invitation-service.
    pub fn channel(&self) -> Channel {
        channel(self.invitation.address)
    }

    /// Changes the setup; a service goes by it from its next start on.
    pub fn change(&mut self, change: impl FnOnce(&mut Setup)) {
        change(&mut self.setup);
    }

    /// Moves the clock of both.
    pub fn advance(&self, span: Span) {
        self.clock.advance(span);
    }

    fn service_clock(&self) -> Arc<dyn Clock> {
        if self.setup.system_clock {
            Arc::new(SystemClock)
        } else {
            Arc::new(self.clock.clone())
        }
    }

    /// Starts connection-service on its file, where it was before, and waits until it serves.
    pub async fn start_connection_service(&mut self) {
        self.connection.running = Some(self.run_connection_service(self.connection.listen()));
        self.connection.serves().await;
    }

    /// Starts another process of connection-service on the same database, and waits until it serves. invitation-service calls it too, from
    /// its next start on.
    pub async fn another_connection_service(&mut self) -> Replica {
        assert!(self.setup.postgres.is_some(), "a file is one process's");
        let mut service = Service::new();
        service.running = Some(self.run_connection_service(service.listen()));
        service.serves().await;
        self.called.push(service.address);
        Replica(service)
    }

    fn run_connection_service(&self, listener: TcpListener) -> (CancellationToken, JoinHandle<()>) {
        let mut config = connection_service::Config::new(database(self.connection_file()));
        if let Some(databases) = &self.setup.postgres {
            config.store = StoreAddress::Postgres(Box::new(databases.connections.clone()));
            config.postgres = postgres_options();
        }
        config.policy = self.setup.connection_policy;
        config.observability = self.setup.connection_shows.clone();
        config.watches = self.setup.watches;
        config.worker_poll = self.setup.worker_poll;
        config.server = self.setup.server;
        config.requests = self.setup.requests;
        config.tokens_file = self.setup.credentials.then(|| self.credentials.file());
        let shutdown = CancellationToken::new();
        let running =
            connection_service::run(config, listener, self.service_clock(), shutdown.clone());
        let running = tokio::spawn(async { running.await.expect("connection-service") });
        (shutdown, running)
    }

    /// Starts invitation-service on its store, where it was before, and waits until it serves.
    pub async fn start_invitation_service(&mut self) {
        let shows = self.setup.invitation_shows.clone();
        let running = self.run_invitation_service(self.invitation.listen(), shows);
        self.invitation.running = Some(running);
        self.invitation.serves().await;
    }

    /// Starts another process of invitation-service on the same database, and waits until it serves. It shows nothing of itself.
    pub async fn another_invitation_service(&self) -> Replica {
        assert!(self.setup.postgres.is_some(), "a file is one process's");
        let mut service = Service::new();
        let shows = ObservabilityOptions::default();
        service.running = Some(self.run_invitation_service(service.listen(), shows));
        service.serves().await;
        Replica(service)
    }

    fn run_invitation_service(
        &self,
        listener: TcpListener,
        shows: ObservabilityOptions,
    ) -> (CancellationToken, JoinHandle<()>) {
        let mut config = invitation_service::Config::new(database(self.invitation_file()));
        if let Some(databases) = &self.setup.postgres {
            config.store = StoreAddress::Postgres(Box::new(databases.invitations.clone()));
            config.postgres = postgres_options();
        }
        config.policy = self.setup.invitation_policy.clone();
        config.observability = shows;
        config.watches = self.setup.watches;
        config.worker.poll = self.setup.worker_poll;
        config.server = self.setup.server;
        config.requests = self.setup.requests;
        config.redis = self.setup.redis.clone();
        config.tokens_file = self.setup.credentials.then(|| self.credentials.file());
        let hosts: Vec<String> = self.called.iter().map(ToString::to_string).collect();
        config.connections.url =
            HttpHosts::parse(&format!("http://{}", hosts.join(","))).expect("a URL");
        config.connections.token_file =
            self.setup.credentials.then(|| self.credentials.peer_file());
        let shutdown = CancellationToken::new();
        let running =
            invitation_service::run(config, listener, self.service_clock(), shutdown.clone());
        let running = tokio::spawn(async { running.await.expect("invitation-service") });
        (shutdown, running)
    }

    /// Stops connection-service; its file stays.
    pub async fn stop_connection_service(&mut self) {
        self.connection.stop().await;
    }

    /// Stops invitation-service; its file stays.
    pub async fn stop_invitation_service(&mut self) {
        self.invitation.stop().await;
    }

    /// Stops both.
    pub async fn stop(mut self) {
        self.invitation.stop().await;
        self.connection.stop().await;
    }

    /// Waits until invitation-service follows connection-service's feed: from then on verdicts are applied at once.
    pub async fn wait_for_feed(&self) {
        let file = self.invitation_file();
        eventually("the feed is followed", || async {
            if let Some(databases) = &self.setup.postgres {
                let client = connect(databases.invitations.clone()).await;
                let sql = "select 1 from head where feed_epoch is not null";
                return client.query_opt(sql, &[]).await.ok()?.map(|_| ());
            }
            let conn = rusqlite::Connection::open(&file).ok()?;
            let followed = conn.query_row("select feed_epoch is not null from meta", [], |row| {
                row.get::<_, bool>(0)
            });
            followed.ok().filter(|followed| *followed).map(|_| ())
        })
        .await;
    }

    /// Sends an invitation without anything further.
    pub async fn send(
        &self,
        inviter: &str,
        invitee: &str,
    ) -> Result<invitation::SendInvitationResponse, Status> {
        self.send_with(invitation::SendInvitationRequest {
            inviter_id: inviter.to_owned(),
            invitee_id: invitee.to_owned(),
            ..Default::default()
        })
        .await
    }

    /// Sends an invitation.
    pub async fn send_with(
        &self,
        request: invitation::SendInvitationRequest,
    ) -> Result<invitation::SendInvitationResponse, Status> {
        let answer = self.invitations.clone().send_invitation(request).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Sends an invitation that must succeed; its id.
    pub async fn sent(&self, inviter: &str, invitee: &str) -> String {
        let answer = self.send(inviter, invitee).await.unwrap();
        assert_eq!(answer.outcome(), invitation::SendOutcome::Sent);
        answer.invitation.unwrap().invitation_id
    }

    /// Accepts an invitation.
    pub async fn accept(
        &self,
        member: &str,
        id: &str,
    ) -> Result<invitation::AcceptInvitationResponse, Status> {
        let request = invitation::AcceptInvitationRequest {
            invitation_id: id.to_owned(),
            member_id: member.to_owned(),
        };
        let answer = self.invitations.clone().accept_invitation(request).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Declines an invitation.
    pub async fn decline(
        &self,
        member: &str,
        id: &str,
        reason: invitation::DeclineReason,
    ) -> Result<invitation::Invitation, Status> {
        let request = invitation::DeclineInvitationRequest {
            invitation_id: id.to_owned(),
            member_id: member.to_owned(),
            reason: reason.into(),
        };
        let answer = self.invitations.clone().decline_invitation(request).await?;
        Ok(answer.into_inner().invitation.unwrap())
    }

    /// Takes a decline back.
    pub async fn undo(&self, member: &str, id: &str) -> Result<invitation::Invitation, Status> {
        let request = invitation::UndoDeclineRequest {
            invitation_id: id.to_owned(),
            member_id: member.to_owned(),
        };
        let answer = self.invitations.clone().undo_decline(request).await?;
        Ok(answer.into_inner().invitation.unwrap())
    }

    /// Withdraws an invitation.
    pub async fn withdraw(&self, member: &str, id: &str) -> Result<invitation::Invitation, Status> {
        let request = invitation::WithdrawInvitationRequest {
            invitation_id: id.to_owned(),
            member_id: member.to_owned(),
        };
        let answer = self
            .invitations
            .clone()
            .withdraw_invitation(request)
            .await?;
        Ok(answer.into_inner().invitation.unwrap())
    }

    /// Looks an invitation up.
    pub async fn get(&self, member: &str, id: &str) -> Result<invitation::Invitation, Status> {
        let request = invitation::GetInvitationRequest {
            invitation_id: id.to_owned(),
            member_id: member.to_owned(),
        };
        let answer = self.invitations.clone().get_invitation(request).await?;
        Ok(answer.into_inner().invitation.unwrap())
    }

    /// The first thousand of one of a member's lists, newest first.
    pub async fn list(
        &self,
        member: &str,
        list: invitation::InvitationBox,
    ) -> Vec<invitation::Invitation> {
        let request = invitation::ListInvitationsRequest {
            member_id: member.to_owned(),
            r#box: list.into(),
            page_size: 1_000,
            ..Default::default()
        };
        let answer = self
            .invitations
            .clone()
            .list_invitations(request)
            .await
            .unwrap();
        answer.into_inner().invitations
    }

    /// How many invitations a member's lists hold.
    pub async fn counts(&self, member: &str) -> invitation::CountInvitationsResponse {
        let request = invitation::CountInvitationsRequest {
            member_id: member.to_owned(),
        };
        self.invitations
            .clone()
            .count_invitations(request)
            .await
            .unwrap()
            .into_inner()
    }

    /// What a member has used of their limits.
    pub async fn quota(&self, member: &str) -> invitation::InvitationQuota {
        let request = invitation::GetInvitationQuotaRequest {
            member_id: member.to_owned(),
        };
        let answer = self
            .invitations
            .clone()
            .get_invitation_quota(request)
            .await
            .unwrap();
        answer.into_inner().quota.unwrap()
    }

    /// Connects two members by an invitation.
    pub async fn connect(&self, inviter: &str, invitee: &str) {
        let id = self.sent(inviter, invitee).await;
        let accepted = self.accept(invitee, &id).await.unwrap();
        assert!(accepted.connection.is_some(), "{accepted:?}");
    }
}

fn database(path: PathBuf) -> SqliteOptions {
    let mut options = SqliteOptions::new(path);
    // Nothing here tests the disk; crashes of processes lose nothing either way.
    options.synchronous = Synchronous::Normal;
    options
}

/// A folder for files, in memory where the system has such a place.
pub fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}

/// A socket on an address that others of this process may use too, and nobody else is given while one of them is there.
pub(crate) fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

pub(crate) fn channel(address: impl std::fmt::Display) -> Channel {
    endpoint(address).connect_lazy()
}

/// A way to all of these, which are the same: each call goes to one of them.
pub(crate) fn channel_over(addresses: &[SocketAddr]) -> Channel {
    Channel::balance_list(addresses.iter().map(endpoint))
}

fn endpoint(address: impl std::fmt::Display) -> Endpoint {
    Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect_timeout(Duration::from_secs(2))
        .tcp_nodelay(true)
}

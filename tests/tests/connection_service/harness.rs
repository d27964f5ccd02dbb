//! A service in this process on a socket of its own, and clients of it in few words.
//!
//! Deliberately absent: expectations.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use acquaint_proto::connection::internal::v1 as internal;
use acquaint_proto::connection::v1 as api;
use acquaint_tests::wait::until_serving;
use api::watch_connections_request::Scope;
use api::watch_connections_response::Content;
use connection_service::graph::GraphOptions;
use connection_service::usecase::import_connections::ImportOptions;
use connection_service::{Config, Policy, RunError};
use internal::FactPosition;
use internal::fact::Change;
use service_kit::clock::ManualClock;
use service_kit::sqlite::{SqliteOptions, Synchronous};
use service_kit::time::{Span, Time};
use service_kit::watch::WatchOptions;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};
use tonic_types::StatusExt as _;

pub(crate) type Connections = api::connection_service_client::ConnectionServiceClient<Channel>;
pub(crate) type Blocks = api::block_service_client::BlockServiceClient<Channel>;
pub(crate) type Members = api::member_service_client::MemberServiceClient<Channel>;
pub(crate) type Facts = internal::fact_service_client::FactServiceClient<Channel>;

pub(crate) const START: i64 = 1_700_000_000_000;

/// A running service and clients of it.
pub(crate) struct Service {
    pub(crate) connections: Connections,
    pub(crate) blocks: Blocks,
    pub(crate) members: Members,
    pub(crate) facts: Facts,
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) running: JoinHandle<Result<(), RunError>>,
}

/// The folder, clock and rules of a service that can be started again.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    pub(crate) clock: ManualClock,
    pub(crate) policy: Policy,
    pub(crate) graph: GraphOptions,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self::with(Policy {
            // Nobody acknowledges in most tests.
            acknowledgement_wait: Span::millis(1),
            ..Policy::default()
        })
    }

    pub(crate) fn with(policy: Policy) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: ManualClock::new(Time::from_millis(START)),
            policy,
            graph: GraphOptions::default(),
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("connections.db")
    }

    pub(crate) async fn start(&self) -> Service {
        self.start_importing(|_| {}).await
    }

    /// Starts a service with other bounds of imports.
    pub(crate) async fn start_importing(&self, bound: impl FnOnce(&mut ImportOptions)) -> Service {
        let mut config = Config::new(SqliteOptions::new(self.file()));
        config.database.synchronous = Synchronous::Normal;
        config.policy = self.policy;
        bound(&mut config.imports);
        config.graph = self.graph;
        config.worker_poll = Duration::from_millis(10);
        config.watches = WatchOptions {
            heartbeat: Duration::from_millis(200),
            ..WatchOptions::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let clock = Arc::new(self.clock.clone());
        let running = connection_service::run(config, listener, clock, shutdown.clone());
        let running = tokio::spawn(running);
        let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
        let channel = endpoint.connect().await.unwrap();
        until_serving(channel.clone()).await;
        Service {
            connections: Connections::new(channel.clone()),
            blocks: Blocks::new(channel.clone()),
            members: Members::new(channel.clone()),
            facts: Facts::new(channel),
            address,
            shutdown,
            running,
        }
    }
}

pub(crate) fn pair(a: &str, b: &str) -> (String, String) {
    (a.to_owned(), b.to_owned())
}

pub(crate) fn timestamp(millis: i64) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: millis.div_euclid(1_000),
        nanos: i32::try_from(millis.rem_euclid(1_000)).unwrap() * 1_000_000,
    }
}

impl Service {
    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
    }

    pub(crate) async fn ensure(
        &self,
        n: u128,
        inviter: &str,
        acceptor: &str,
    ) -> internal::EnsureConnectionResponse {
        let request = internal::EnsureConnectionRequest {
            invitation_id: uuid::Uuid::from_u128(n).to_string(),
            acceptance: 1,
            // Later than any removal here, so that none stands against it.
            accept_time: Some(timestamp(START + 1_000_000)),
            inviter_id: inviter.to_owned(),
            invitee_id: acceptor.to_owned(),
        };
        self.facts
            .clone()
            .ensure_connection(request)
            .await
            .unwrap()
            .into_inner()
    }

    pub(crate) async fn remove(&self, member: &str, other: &str) -> Result<(), Status> {
        let (member_id, other_id) = pair(member, other);
        let request = api::RemoveConnectionRequest {
            member_id,
            other_id,
            connect_time: None,
        };
        self.connections
            .clone()
            .remove_connection(request)
            .await
            .map(drop)
    }

    pub(crate) async fn block(&self, member: &str, other: &str) -> Result<(), Status> {
        let (member_id, other_id) = pair(member, other);
        let request = api::BlockMemberRequest {
            member_id,
            other_id,
        };
        self.blocks.clone().block_member(request).await.map(drop)
    }

    pub(crate) async fn unblock(&self, member: &str, other: &str) -> Result<(), Status> {
        let (member_id, other_id) = pair(member, other);
        let request = api::UnblockMemberRequest {
            member_id,
            other_id,
        };
        self.blocks.clone().unblock_member(request).await.map(drop)
    }

    pub(crate) async fn erase(&self, member: &str) -> bool {
        let request = api::EraseMemberRequest {
            member_id: member.to_owned(),
        };
        self.members
            .clone()
            .erase_member(request)
            .await
            .unwrap()
            .into_inner()
            .complete
    }

    pub(crate) async fn list(
        &self,
        member: &str,
        page_size: i32,
        page_token: &str,
    ) -> Result<api::ListConnectionsResponse, Status> {
        let request = api::ListConnectionsRequest {
            member_id: member.to_owned(),
            page_size,
            page_token: page_token.to_owned(),
            ..Default::default()
        };
        Ok(self
            .connections
            .clone()
            .list_connections(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn blocked(
        &self,
        member: &str,
        page_token: &str,
    ) -> Result<api::ListBlockedMembersResponse, Status> {
        let request = api::ListBlockedMembersRequest {
            member_id: member.to_owned(),
            page_size: 1,
            page_token: page_token.to_owned(),
        };
        Ok(self
            .blocks
            .clone()
            .list_blocked_members(request)
            .await?
            .into_inner())
    }

    pub(crate) async fn relationships(
        &self,
        member: &str,
        others: &[&str],
    ) -> Result<Vec<api::RelationshipStatus>, Status> {
        let request = api::BatchGetRelationshipsRequest {
            member_id: member.to_owned(),
            other_ids: others.iter().map(ToString::to_string).collect(),
            with_mutual_counts: false,
        };
        let answer = self
            .connections
            .clone()
            .batch_get_relationships(request)
            .await?;
        let found = answer.into_inner().relationships;
        assert_eq!(
            found
                .iter()
                .map(|r| r.other_id.as_str())
                .collect::<Vec<_>>(),
            others
        );
        Ok(found.iter().map(api::Relationship::status).collect())
    }

    pub(crate) async fn watch(
        &self,
        member: Option<&str>,
        resume_token: &str,
    ) -> Result<Watch, Status> {
        let scope = match member {
            Some(member) => Scope::MemberId(member.to_owned()),
            None => Scope::AllMembers(true),
        };
        let request = api::WatchConnectionsRequest {
            scope: Some(scope),
            resume_token: resume_token.to_owned(),
        };
        let stream = self
            .connections
            .clone()
            .watch_connections(request)
            .await?
            .into_inner();
        Ok(Watch {
            stream,
            token: String::new(),
        })
    }

    pub(crate) async fn watch_facts(
        &self,
        after: Option<FactPosition>,
    ) -> Result<FactStream, Status> {
        let request = internal::WatchFactsRequest { after };
        Ok(self.facts.clone().watch_facts(request).await?.into_inner())
    }

    pub(crate) async fn acknowledge(&self, position: FactPosition) -> Result<(), Status> {
        let request = internal::AcknowledgeFactsRequest {
            position: Some(position),
        };
        self.facts
            .clone()
            .acknowledge_facts(request)
            .await
            .map(drop)
    }

    /// Stores nothing, but acknowledges all it sees, as the other service does.
    pub(crate) async fn follow(&self) -> JoinHandle<()> {
        let (mut stream, facts) = (self.watch_facts(None).await.unwrap(), self.facts.clone());
        tokio::spawn(async move {
            while let Ok(Some(message)) = stream.message().await {
                let request = internal::AcknowledgeFactsRequest {
                    position: message.position,
                };
                facts.clone().acknowledge_facts(request).await.unwrap();
            }
        })
    }
}

pub(crate) type FactStream = Streaming<internal::WatchFactsResponse>;

/// A watch and the last token it gave.
pub(crate) struct Watch {
    pub(crate) stream: Streaming<api::WatchConnectionsResponse>,
    pub(crate) token: String,
}

impl Watch {
    /// The next message: `beat`, `+other`, `-other`, or for services `+low,high` and `-low,high`.
    pub(crate) async fn next(&mut self) -> String {
        let message = timeout(Duration::from_secs(10), self.stream.message())
            .await
            .unwrap();
        let message = message.unwrap().expect("the stream goes on");
        self.token = message.resume_token;
        match message.content.unwrap() {
            Content::Heartbeat(_) => "beat".to_owned(),
            Content::MemberEvent(event) => match event.change.unwrap() {
                api::member_connection_event::Change::Connected(c) => format!("+{}", c.other_id),
                api::member_connection_event::Change::Gone(gone) => format!("-{}", gone.other_id),
            },
            Content::Event(event) => {
                let made = event.kind() == api::ConnectionEventKind::Connected;
                assert!(event.event_time.is_some() && event.connect_time.is_some());
                format!(
                    "{}{}",
                    if made { '+' } else { '-' },
                    event.member_ids.join(",")
                )
            }
        }
    }

    /// The next message that is no heartbeat.
    pub(crate) async fn event(&mut self) -> String {
        loop {
            let next = self.next().await;
            if next != "beat" {
                return next;
            }
        }
    }
}

/// The facts up to `position`: `low,high` with `c`, `<` (blocked by the lower) and `>`, or `!erased`.
pub(crate) async fn facts_until(
    stream: &mut FactStream,
    position: u64,
) -> (Vec<String>, FactPosition) {
    let mut said = Vec::new();
    loop {
        let message = timeout(Duration::from_secs(10), stream.message())
            .await
            .unwrap();
        let message = message.unwrap().expect("the stream goes on");
        for fact in message.facts {
            said.push(match fact.change.unwrap() {
                Change::Pair(facts) => shown(&facts),
                Change::ErasedMemberId(member) => format!("!{member}"),
            });
        }
        let reached = message.position.unwrap();
        if reached.position >= position {
            return (said, reached);
        }
    }
}

pub(crate) fn shown(facts: &internal::PairFacts) -> String {
    let pair = facts.pair.as_ref().unwrap();
    let mut text = format!("{},{}", pair.low_id, pair.high_id);
    for (holds, sign) in [
        (facts.connection.is_some(), 'c'),
        (facts.blocked_by_low, '<'),
        (facts.blocked_by_high, '>'),
        (facts.low_erased, 'e'),
        (facts.high_erased, 'E'),
    ] {
        if holds {
            text.push(sign);
        }
    }
    text
}

/// Checks code and reason; every refusal here has no metadata.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(
    answer: Result<T, Status>,
    code: Code,
    reason: &str,
) -> Status {
    let status = answer.unwrap_err();
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!((status.code(), info.reason.as_str()), (code, reason));
    assert_eq!((info.domain.as_str(), info.metadata.len()), ("acquaint", 0));
    status
}

pub(crate) async fn end(mut watch: Watch) -> Status {
    loop {
        match timeout(Duration::from_secs(10), watch.stream.message())
            .await
            .unwrap()
        {
            Ok(message) => drop(message.expect("an error at the end")),
            Err(status) => return status,
        }
    }
}

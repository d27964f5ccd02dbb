//! connection-service over the wire.

use std::{path::PathBuf, time::Duration};

use acquaint_proto::connection::internal::v1::{
    EnsureConnectionRequest, fact_service_client::FactServiceClient,
};
use async_trait::async_trait;
use service_kit::{
    auth::Bearer,
    balance::{self, BalanceOptions, HttpHosts},
    deadline::Deadline,
    epoch::EpochId,
    fields::timestamp,
    id::PairKey,
    trace::{self, SpanKind, TraceIds, Tracer},
};
use tonic::{
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};

use super::{AskOptions, Away, Connections, ask::Asker, convert};
use crate::{
    domain::accept::Ruling,
    store::command::{AwaitedVerdict, send::Told},
};

/// The span of asking for a verdict.
const ENSURE: &str = "acquaint.connection.internal.v1.FactService/EnsureConnection";

/// A client that shows this service's token.
pub(super) type FactClient = FactServiceClient<InterceptedService<Channel, Bearer>>;

/// How connection-service is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteOptions {
    /// Where it listens, all its replicas.
    pub url: HttpHosts,
    /// How its replicas are found.
    pub balance: BalanceOptions,
    /// A file with the token that is shown there; `None` shows none.
    pub token_file: Option<PathBuf>,
    /// The bounds of asking what holds between two.
    pub ask: AskOptions,
    /// How long a caller waits for a verdict before being answered that the connection is being made.
    pub verdict_wait_max: Duration,
}

/// connection-service, reached over one HTTP/2 connection to each of its replicas that comes back by itself.
#[derive(Clone)]
pub struct RemoteConnections {
    client: FactClient,
    asker: Asker,
    verdict_wait_max: Duration,
    tracer: Tracer,
}

impl RemoteConnections {
    /// Asks over `channel`, from a task that ends with the last clone of this. Its calls are part of their callers' traces.
    pub fn new(channel: Channel, options: &RemoteOptions) -> Self {
        Self::traced(
            channel,
            options,
            Tracer::without_export(TraceIds::new(0)),
            Bearer::default(),
        )
    }

    /// Like [`new`](Self::new), and its calls are spans of `tracer` and show the token of `bearer`.
    pub fn traced(
        channel: Channel,
        options: &RemoteOptions,
        tracer: Tracer,
        bearer: Bearer,
    ) -> Self {
        let client = FactServiceClient::with_interceptor(channel, bearer);
        Self {
            asker: Asker::start(client.clone(), options.ask, tracer.clone()),
            client,
            verdict_wait_max: options.verdict_wait_max,
            tracer,
        }
    }
}

/// The way to connection-service, within a tokio runtime.
pub fn channel(options: &RemoteOptions) -> Channel {
    balance::channel(&options.url, options.balance, kept_up)
}

fn kept_up(endpoint: Endpoint) -> Endpoint {
    endpoint
        .tcp_nodelay(true)
        .connect_timeout(Duration::from_secs(1))
        .http2_keep_alive_interval(Duration::from_secs(10))
        .keep_alive_timeout(Duration::from_secs(5))
        .keep_alive_while_idle(true)
}

#[async_trait]
impl Connections for RemoteConnections {
    async fn ask(&self, key: PairKey) -> Option<Told> {
        self.asker.ask(key).await
    }

    async fn ensure(
        &self,
        awaited: &AwaitedVerdict,
        deadline: Deadline,
    ) -> Result<(EpochId, Ruling), Away> {
        let deadline = deadline.at_most(self.verdict_wait_max);
        let mut request = tonic::Request::new(EnsureConnectionRequest {
            invitation_id: awaited.invitation_id.to_string(),
            acceptance: awaited.acceptance,
            accept_time: Some(timestamp(awaited.accept_time)),
            inviter_id: awaited.inviter.to_string(),
            invitee_id: awaited.invitee.to_string(),
        });
        deadline.apply(&mut request);
        let mut span = self
            .tracer
            .begin(ENSURE, SpanKind::Client, trace::current());
        span.context().apply(&mut request);
        let mut client = self.client.clone();
        let answer = deadline
            .run(async { client.ensure_connection(request).await })
            .await
            .map_err(|status| {
                span.fail();
                tracing::debug!(code = ?status.code(), "connection-service gives no verdict");
                Away
            })?;
        let ruling = convert::ruling(awaited, answer.get_ref());
        ruling.ok_or_else(|| {
            tracing::error!("connection-service gave a verdict that makes no sense here");
            Away
        })
    }
}

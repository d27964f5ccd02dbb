//! The yardstick: a method that does nothing, served by tonic's own server, or by the server that both services use.
//!
//! Each is a process of its own with the services' allocator and runtime. Deliberately absent: anything that could make it faster than a
//! service could be.

use anyhow::Context as _;
use service_kit::{
    auth::{Access, Callers, Method},
    observability::{Observability, ObservabilityOptions},
    runtime,
    server::{self, Api, HealthHandle, ServerOptions},
    telemetry::{self, LogOptions},
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::RoutesBuilder};

/// The contract, generated.
#[allow(
    clippy::all,
    clippy::pedantic,
    unreachable_pub,
    reason = "generated code"
)]
pub(crate) mod v1 {
    tonic::include_proto!("acquaint.bench.v1");
}

use v1::empty_service_server::{EmptyService, EmptyServiceServer};

const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/empty.binpb"));

/// Whom the method is for: everybody.
const METHODS: &[Method] = &[Method::call(
    "/acquaint.bench.v1.EmptyService/Call",
    Access::AnyCaller,
)];

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Server {
    /// tonic's own.
    Tonic,
    /// The one of the services.
    Kit,
}

struct Empty;

#[tonic::async_trait]
impl EmptyService for Empty {
    async fn call(
        &self,
        _: Request<v1::CallRequest>,
    ) -> Result<Response<v1::CallResponse>, Status> {
        Ok(Response::new(v1::CallResponse {}))
    }
}

/// Serves on a port of loopback until the process is told to end.
pub(crate) fn serve(which: Server, port: u16) -> anyhow::Result<()> {
    // As both services have them.
    telemetry::init(&LogOptions::default());
    let threads = std::env::var("ACQUAINT_RUNTIME_THREADS").ok();
    let threads = threads.map_or(Ok(runtime::THREADS_DEFAULT), |threads| threads.parse())?;
    runtime::build(threads)?.block_on(async {
        let shutdown = service_kit::shutdown::signal();
        let listener = server::listen(([127, 0, 0, 1], port).into(), false).await?;
        match which {
            Server::Tonic => serve_tonic(listener, shutdown).await,
            Server::Kit => serve_kit(listener, shutdown).await,
        }
    })
}

async fn serve_tonic(
    listener: tokio::net::TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<EmptyServiceServer<Empty>>().await;
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    tonic::transport::Server::builder()
        .add_service(EmptyServiceServer::new(Empty))
        .add_service(health_service)
        .serve_with_incoming_shutdown(incoming, shutdown.cancelled_owned())
        .await
        .context("tonic's server")
}

async fn serve_kit(
    listener: tokio::net::TcpListener,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut routes = RoutesBuilder::default();
    routes.add_service(EmptyServiceServer::new(Empty));
    let api = Api {
        services: &["acquaint.bench.v1.EmptyService"],
        methods: METHODS,
        descriptor_sets: &[DESCRIPTOR_SET],
    };
    let options = ObservabilityOptions::default();
    let seen = Observability::start("empty", env!("CARGO_PKG_VERSION"), api, &options).await?;
    let server = server::Server::new(
        listener,
        api,
        Callers::anybody(),
        seen.requests.clone(),
        seen.connections.clone(),
        HealthHandle::new(),
        ServerOptions::default(),
    )?;
    let serving = server.start(&shutdown);
    serving.open(routes);
    let ended = serving.while_open(std::future::pending()).await;
    ended.map(drop).context("the services' server")
}

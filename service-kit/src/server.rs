//! Serving gRPC: one listener, bounds on all that a peer can make it hold, health and reflection, and an orderly end.
//!
//! Each connection is served by hyper directly. tonic's own server would do, but it answers a passed `grpc-timeout` with
//! `CANCELLED` before [`crate::deadline`] can say `DEADLINE_EXCEEDED`, and leaves no way to cut a connection that will not end.
//!
//! Deliberately absent: TLS and credentials (hence the refusal of any address but loopback), HTTP/1, and time limits on calls:
//! those are each method's own, and a watch has none.

mod health;
mod listener;
mod while_open;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};

use crate::config::{Key, Unit};
use crate::crash;

pub use health::HealthHandle;
pub use listener::Listener;
pub use while_open::{End, while_open};

use crate::requests::{Requests, Seen};

/// The largest message that a service should read, in bytes. A service applies it itself, with
/// `max_decoding_message_size(MESSAGE_BYTES_MAX)`: only there is it known where a message begins.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// How long accepting pauses when the system has nothing to accept with (no file handles left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a peer may make the server hold, and how the server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// How many connections are served at a time; more wait to be accepted. At least 1.
    pub connections_max: usize,
    /// How many calls a connection may have open at a time.
    pub concurrent_streams_max: u32,
    /// How large the headers of a call may be, in bytes.
    pub header_bytes_max: u32,
    /// How many calls that the peer has cancelled may wait to be noticed; beyond, the connection is ended.
    pub pending_reset_streams_max: usize,
    /// How many calls the server may have to cancel because of the peer's errors; beyond, the connection is ended.
    pub local_reset_streams_max: usize,
    /// After how long without a sign a peer is asked for one.
    pub keepalive_interval: Duration,
    /// After how long without an answer to that a connection is ended.
    pub keepalive_timeout: Duration,
    /// How long calls may go on after the server was told to end.
    pub drain: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            concurrent_streams_max: 1_024,
            header_bytes_max: 16 * 1_024,
            pending_reset_streams_max: 64,
            local_reset_streams_max: 1_024,
            keepalive_interval: Duration::from_mins(1),
            keepalive_timeout: Duration::from_secs(20),
            drain: Duration::from_secs(10),
        }
    }
}

impl ServerOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "server.connections_max",
                "connections",
                1..=1_000_000,
                |o: &mut Self| &mut o.connections_max,
                "connections served at a time; more wait to be accepted",
            ),
            Key::count(
                "server.concurrent_streams_max",
                "calls",
                1..=1_000_000,
                |o: &mut Self| &mut o.concurrent_streams_max,
                "calls that a connection may have open at a time",
            ),
            Key::count(
                "server.header_bytes_max",
                "bytes",
                1_024..=1_048_576,
                |o: &mut Self| &mut o.header_bytes_max,
                "size of the headers of a call",
            ),
            Key::count(
                "server.pending_reset_streams_max",
                "calls",
                1..=1_000_000,
                |o: &mut Self| &mut o.pending_reset_streams_max,
                "calls cancelled by the peer that may wait to be noticed; beyond, the connection is ended",
            ),
            Key::count(
                "server.local_reset_streams_max",
                "calls",
                1..=1_000_000,
                |o: &mut Self| &mut o.local_reset_streams_max,
                "calls that the peer's errors may make the server cancel; beyond, the connection is ended",
            ),
            Key::span(
                "server.keepalive_interval_seconds",
                Unit::Seconds,
                1..=86_400,
                |o: &mut Self| &mut o.keepalive_interval,
                "time without a sign after which a peer is asked for one",
            ),
            Key::span(
                "server.keepalive_timeout_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.keepalive_timeout,
                "time without an answer to that after which the connection is ended",
            ),
            Key::span(
                "server.drain_seconds",
                Unit::Seconds,
                0..=3_600,
                |o: &mut Self| &mut o.drain,
                "time for which calls may go on after the server was told to end; then they are cut",
            ),
        ]
    }
}

/// Why an address is not listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Other machines could reach the address, and there are no credentials yet.
    #[error(
        "{0} is not a loopback address; there are no credentials yet, so nothing else is listened on"
    )]
    NotLoopback(SocketAddr),
    /// The system refuses, for instance because the port is taken.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// Why nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The listener is not one to serve on.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The listener has no address.
    #[error("the listener has no address")]
    Address(#[source] io::Error),
    /// The descriptor sets cannot be read.
    #[error("cannot serve reflection")]
    Reflection(#[from] tonic_reflection::server::Error),
}

/// Listens on `address`, which must be one of loopback; port 0 takes a free one.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    loopback(address)?;
    TcpListener::bind(address)
        .await
        .map_err(|source| ListenError::Bind { address, source })
}

/// Serves `routes` with health and reflection (v1 and v1alpha) until `shutdown` is cancelled, then drains: health says
/// `NOT_SERVING`, no connection is accepted, calls may go on for [`ServerOptions::drain`], then they are cut. Returns when no
/// connection is left. A stream that stays open should itself end on `shutdown`, or it will hold the drain to its bound.
///
/// `api` describes `routes`. Its services are what health knows beside `""`, and all have the state of `health`; what is served beside
/// them is added to its descriptors here. `requests` sees every call, whether or not it is answered by `routes`.
///
/// Fails only before anything is served: [`ServeError`].
pub async fn serve(
    mut listener: impl Listener,
    routes: RoutesBuilder,
    api: Api,
    requests: Requests,
    health: HealthHandle,
    shutdown: CancellationToken,
    options: ServerOptions,
) -> Result<(), ServeError> {
    loopback(listener.local_addr().map_err(ServeError::Address)?)?;
    let routes = requests.layer(all_routes(routes, api, &health)?);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = shutdown.cancelled() => break,
            Some(ended) = connections.join_next() => log_panic(ended),
            accepted = listener.accept(), if connections.len() < options.connections_max.max(1) => match accepted {
                Ok(stream) => {
                    connections.spawn(serve_connection(stream, routes.clone(), options, shutdown.clone()));
                }
                Err(error) => {
                    tracing::warn!("cannot accept: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    health.drain();
    crash::point("stop.draining");
    drop(listener);
    let drained = async {
        while let Some(ended) = connections.join_next().await {
            log_panic(ended);
        }
    };
    if tokio::time::timeout(options.drain, drained).await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "cutting what did not end in time"
        );
        connections.shutdown().await;
    }
    crash::point("stop.drained");
    Ok(())
}

/// What a service serves: the full names of its services, and encoded descriptor sets that describe them with their imports.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// Such as `acquaint.invitation.v1.InvitationService`.
    pub services: &'static [&'static str],
    /// What `protoc --include_imports --descriptor_set_out` writes.
    pub descriptor_sets: &'static [&'static [u8]],
}

impl Api {
    /// Every service that is served, with those that are served beside the service's own.
    pub(crate) fn all_services(&self) -> impl Iterator<Item = &'static str> {
        self.services.iter().chain(&BESIDE).copied()
    }

    /// Descriptors of all of them.
    pub(crate) fn all_descriptor_sets(&self) -> impl Iterator<Item = &'static [u8]> {
        let beside = [
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ];
        self.descriptor_sets.iter().copied().chain(beside)
    }
}

/// What is served beside the caller's services.
const BESIDE: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

fn loopback(address: SocketAddr) -> Result<(), ListenError> {
    if address.ip().to_canonical().is_loopback() {
        Ok(())
    } else {
        Err(ListenError::NotLoopback(address))
    }
}

fn all_routes(
    mut routes: RoutesBuilder,
    api: Api,
    health: &HealthHandle,
) -> Result<Routes, ServeError> {
    let reflection = || {
        let own = [
            // The well-known types that error details are made of.
            tonic_types::pb::FILE_DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
        ];
        let builder = api.descriptor_sets.iter().copied().chain(own).fold(
            tonic_reflection::server::Builder::configure(),
            tonic_reflection::server::Builder::register_encoded_file_descriptor_set,
        );
        // Only what is served here, though the sets may describe more.
        let served = api.services.iter().copied().chain(BESIDE);
        served.fold(
            builder,
            tonic_reflection::server::Builder::with_service_name,
        )
    };
    routes
        .add_service(health.service(api.services))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok(routes.routes().prepare())
}

async fn serve_connection(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    routes: Seen<Routes>,
    options: ServerOptions,
    shutdown: CancellationToken,
) {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.concurrent_streams_max)
        .max_header_list_size(options.header_bytes_max)
        .max_pending_accept_reset_streams(options.pending_reset_streams_max)
        .max_local_error_reset_streams(options.local_reset_streams_max)
        .keep_alive_interval(options.keepalive_interval)
        .keep_alive_timeout(options.keepalive_timeout);
    let connection =
        builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Peers come and go as they like.
        tracing::debug!("connection ended: {error}");
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a connection's task failed: {error}");
    }
}

#[cfg(test)]
mod tests;

//! Serving gRPC: one listener, bounds on all that a peer can make it hold, callers and their roles, health and reflection, and an
//! orderly end.
//!
//! It listens before there is anything to serve: health says so meanwhile. Each connection is served by hyper directly. tonic's own
//! server would do, but it answers a passed `grpc-timeout` with `CANCELLED` before [`crate::deadline`] can say `DEADLINE_EXCEEDED`,
//! and leaves no way to cut a connection that will not end.
//!
//! Deliberately absent: TLS (something in front does that), and HTTP/1.

mod connection;
mod connections;
mod figures;
mod frames;
mod gate;
mod guarded;
mod health;
mod held;
mod listener;
mod options;
mod pace;
mod serving;
mod watches;
mod while_open;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::service::{Routes, RoutesBuilder};

pub use figures::ConnectionMetrics;
pub use health::HealthHandle;
pub use listener::Listener;
pub use options::{READ_BYTES_MAX, ServerOptions};
pub use serving::Serving;
pub use while_open::End;

use crate::auth::{Callers, Method};
use crate::crash;
use crate::requests::Requests;
use connection::serve_connection;
use connections::Connections;
use gate::Gate;

/// How long accepting pauses when the system has nothing to accept with (no file handles left).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why an address is not listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Other machines could reach the address, and callers show no credentials.
    #[error("{0} is not a loopback address; without a tokens file nothing else is listened on")]
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

/// Listens on `address`; port 0 takes a free one. Where callers show no `credentials` it must be one of loopback.
pub async fn listen(address: SocketAddr, credentials: bool) -> Result<TcpListener, ListenError> {
    allowed(address, credentials)?;
    TcpListener::bind(address)
        .await
        .map_err(|source| ListenError::Bind { address, source })
}

/// What a service serves: the full names of its services, and encoded descriptor sets that describe them with their imports.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    /// Such as `acquaint.invitation.v1.InvitationService`.
    pub services: &'static [&'static str],
    /// Every method of these, and whom it is for. What does not stand here is not served.
    pub methods: &'static [Method],
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

/// A server that does not serve yet.
pub struct Server<L> {
    listener: L,
    callers: Callers,
    requests: Requests,
    gate: Gate,
    connections: ConnectionMetrics,
    health: HealthHandle,
    options: Arc<ServerOptions>,
}

impl<L: Listener> Server<L> {
    /// A server of `api`, whose calls `requests` sees and whose connections are counted in `connections`, on `listener`, with health and
    /// reflection (v1 and v1alpha). Says in the log who may call. Fails when nobody shows credentials and others than this machine could
    /// call, or the descriptor sets cannot be read.
    pub fn new(
        listener: L,
        api: Api,
        callers: Callers,
        requests: Requests,
        connections: ConnectionMetrics,
        health: HealthHandle,
        options: ServerOptions,
    ) -> Result<Self, ServeError> {
        let address = listener.local_addr().map_err(ServeError::Address)?;
        allowed(address, callers.are_known())?;
        if !callers.are_known() {
            tracing::warn!(
                "no tokens file: whoever reaches {address}, which is only this machine, may do everything"
            );
        } else if !is_loopback(address) {
            tracing::warn!(
                "{address} is served without TLS: put something before it that has it, or tokens can be overheard"
            );
        }
        let (beside, options) = (beside(api, &health)?, Arc::new(options));
        Ok(Self {
            gate: Gate::new(api.methods, callers.clone(), beside, options.clone()),
            listener,
            callers,
            requests,
            connections,
            health,
            options,
        })
    }

    /// Begins to serve, on a task of its own, until `shutdown` is cancelled: health, and everything else once that is
    /// [open](Serving::open).
    pub fn start(self, shutdown: &CancellationToken) -> Serving {
        let (door, health) = (self.gate.door(), self.health.clone());
        // Ends with the caller's, or by itself when the store does.
        let stop = shutdown.child_token();
        let task = tokio::spawn(self.serve(stop.clone()));
        Serving::new(door, health, stop, task)
    }

    /// Serves until `shutdown` is cancelled, then drains: health says `NOT_SERVING`, no connection is accepted, calls may go on for
    /// [`ServerOptions::drain`], then they are cut. Returns when no connection is left.
    async fn serve(self, shutdown: CancellationToken) {
        let Self {
            mut listener,
            callers,
            requests,
            gate,
            connections,
            health,
            options,
        } = self;
        let _following = tokio_util::task::AbortOnDropHandle::new(tokio::spawn(callers.follow()));
        let all = Arc::new(Connections::new(&options, connections));
        let mut tasks = JoinSet::new();
        // Told only after health was, so that those who watch it are.
        let drain = CancellationToken::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(ended) = tasks.join_next() => log_panic(ended),
                accepted = listener.accept() => match accepted {
                    Ok(socket) => {
                        let address = L::address_of(&socket);
                        let Some(place) = all.enter(address) else {
                            tracing::debug!("every connection is in use: {address} is turned away");
                            continue;
                        };
                        let gate = requests.layer(gate.of(&place));
                        tasks.spawn(serve_connection(socket, place, gate, options.clone(), drain.clone()));
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
        drain.cancel();
        drop(listener);
        let drained = async {
            while let Some(ended) = tasks.join_next().await {
                log_panic(ended);
            }
        };
        if tokio::time::timeout(options.drain, drained).await.is_err() {
            tracing::warn!(
                connections = tasks.len(),
                "cutting what did not end in time"
            );
            tasks.shutdown().await;
        }
        crash::point("stop.drained");
    }
}

/// What is served beside the caller's services.
const BESIDE: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn allowed(address: SocketAddr, credentials: bool) -> Result<(), ListenError> {
    if credentials || is_loopback(address) {
        Ok(())
    } else {
        Err(ListenError::NotLoopback(address))
    }
}

fn beside(api: Api, health: &HealthHandle) -> Result<Routes, ServeError> {
    let reflection = || {
        // The first has the well-known types that error details are made of.
        let own = [
            tonic_types::pb::FILE_DESCRIPTOR_SET,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
        ];
        let builder = api.descriptor_sets.iter().copied().chain(own).fold(
            tonic_reflection::server::Builder::configure(),
            tonic_reflection::server::Builder::register_encoded_file_descriptor_set,
        );
        // Only what is served here, though the sets may describe more.
        api.all_services().fold(
            builder,
            tonic_reflection::server::Builder::with_service_name,
        )
    };
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(health.service(api.services))
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?);
    Ok(routes.routes().prepare())
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!("a connection's task failed: {error}");
    }
}

#[cfg(test)]
mod tests;

//! Whether the process serves, as it says itself.
//!
//! The standard health service over one state. Deliberately absent: finding out (whoever holds the [`HealthHandle`] says it),
//! and different states for different services: they stand on the same store.

use std::pin::Pin;
use std::sync::Arc;

use futures::Stream;
use futures::stream::{self, StreamExt as _};
use tokio::sync::watch;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::{Health, HealthServer};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    NotServing,
    Serving,
    /// On the way to the end; there is no way back from here.
    Draining,
}

/// Says whether the process serves. Clones are the same handle. Begins with "not serving".
#[derive(Clone, Debug)]
pub struct HealthHandle(Arc<watch::Sender<State>>);

impl Default for HealthHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl HealthHandle {
    /// A handle that says "not serving".
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(State::NotServing)))
    }

    /// Says `SERVING` from now on; without effect once the server drains.
    pub fn set_serving(&self) {
        self.change(State::Serving);
    }

    /// Says `NOT_SERVING` from now on.
    pub fn set_not_serving(&self) {
        self.change(State::NotServing);
    }

    /// Says `NOT_SERVING` for good, and ends the watches.
    pub(super) fn drain(&self) {
        self.change(State::Draining);
    }

    /// The health service for `services` and `""`.
    pub(super) fn service(&self, services: &[&'static str]) -> HealthServer<impl Health> {
        HealthServer::new(HealthService {
            state: self.0.subscribe(),
            services: services.into(),
        })
    }

    /// Whether it says `SERVING`.
    #[cfg(test)]
    pub(crate) fn is_serving(&self) -> bool {
        *self.0.borrow() == State::Serving
    }

    fn change(&self, to: State) {
        self.0.send_if_modified(|state| {
            let changes = *state != to && *state != State::Draining;
            if changes {
                *state = to;
            }
            changes
        });
    }
}

struct HealthService {
    state: watch::Receiver<State>,
    services: Box<[&'static str]>,
}

impl HealthService {
    fn knows(&self, service: &str) -> bool {
        service.is_empty() || self.services.contains(&service)
    }
}

fn response(known: bool, state: State) -> HealthCheckResponse {
    let status = match state {
        _ if !known => ServingStatus::ServiceUnknown,
        State::Serving => ServingStatus::Serving,
        State::NotServing | State::Draining => ServingStatus::NotServing,
    };
    HealthCheckResponse {
        status: status.into(),
    }
}

#[tonic::async_trait]
impl Health for HealthService {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        if self.knows(&request.get_ref().service) {
            Ok(Response::new(response(true, *self.state.borrow())))
        } else {
            Err(Status::not_found("unknown service"))
        }
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<HealthCheckResponse, Status>> + Send>>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let known = self.knows(&request.get_ref().service);
        let mut first = self.state.clone();
        first.mark_changed();
        let states = stream::unfold(Some(first), |receiver| async {
            let mut receiver = receiver?;
            receiver.changed().await.ok()?;
            let state = *receiver.borrow_and_update();
            // The drain must not wait for those who watch it.
            Some((state, (state != State::Draining).then_some(receiver)))
        });
        Ok(Response::new(
            states.map(move |state| Ok(response(known, state))).boxed(),
        ))
    }
}

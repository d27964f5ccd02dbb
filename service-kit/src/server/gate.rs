//! What a call passes before a method sees it: credentials, role, load, the time it has, and the whole of its message.
//!
//! In this order, so that whoever may not call costs no more than its headers, and a refusal for load costs no decoding. A method is
//! run only when its message is there, and its answer is held apart from it: the places for calls under way are never kept by slow
//! peers. An upload, of many messages, has none
//! of these places; its method bounds how many there are. A call that could come to nothing, because it may not be made or its message is broken, is answered as any other, but its
//! connection pays more for it than the answer brings ([`super::frames`]): whoever makes nothing else is cut soon, and whoever makes one
//! among many does not notice. Deliberately absent: what a method does, and bounds of what it keeps open itself ([`crate::watch`]).

use std::collections::HashMap;
use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;
use tonic::body::Body;
use tonic::service::{Routes, RoutesBuilder};
use tower::ServiceExt as _;

use super::ServerOptions;
use super::connections::{Connections, Hold, OpenCall, OpenWatch, Peer, Place};
use super::held::{Ending, hold_answer, receive};
use super::watches::Watches;
use crate::auth::{Access, Callers, Kind, Method, unauthenticated};
use crate::deadline::Deadline;
use crate::requests::CallerSlot;
use crate::status::{dependency_unavailable, overloaded};

/// What is served beside a service's own methods, as long as the process listens.
const BESIDE: [Method; 4] = [
    Method::call("/grpc.health.v1.Health/Check", Access::Open),
    Method::watch("/grpc.health.v1.Health/Watch", Access::Open),
    reflection("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"),
    reflection("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"),
];

/// What a connection pays for a call that may not be made, or of a method that there is not: as much as the frame of its answer brings.
const REFUSED_COST: u32 = 4;
/// What a connection pays for a call whose message is broken, too large, or does not come.
const BROKEN_COST: u32 = 16;

const fn reflection(path: &'static str) -> Method {
    let (access, kind) = (Access::AnyCaller, Kind::Stream);
    Method { path, access, kind }
}

/// Where a service puts its methods once they can work; until then callers are answered that it is not ready. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Door(Arc<OnceLock<Routes>>);

impl Door {
    /// Serves `routes` from now on. The first ones stay.
    pub(super) fn open(&self, routes: RoutesBuilder) {
        self.0.get_or_init(|| routes.routes().prepare());
    }
}

/// What every call passes. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Gate(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    methods: HashMap<&'static str, Entry>,
    callers: Callers,
    door: Door,
    beside: Routes,
    /// A place for each call under way.
    calls: Arc<Semaphore>,
    /// A place for each stream of [`BESIDE`].
    tools: Arc<Semaphore>,
    /// How many watches each caller has open.
    watches: Watches,
    options: Arc<ServerOptions>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    method: Method,
    beside: bool,
}

impl Gate {
    pub(super) fn new(
        methods: &'static [Method],
        callers: Callers,
        beside: Routes,
        options: Arc<ServerOptions>,
    ) -> Self {
        let entries = |methods: &[Method], beside| {
            let entry = move |method: &Method| {
                (
                    method.path,
                    Entry {
                        method: *method,
                        beside,
                    },
                )
            };
            methods.iter().map(entry).collect::<Vec<_>>()
        };
        let mut all: HashMap<_, _> = entries(methods, false).into_iter().collect();
        all.extend(entries(&BESIDE, true));
        let places = |max: usize| Arc::new(Semaphore::new(max.clamp(1, Semaphore::MAX_PERMITS)));
        Self(Arc::new(Inner {
            methods: all,
            callers,
            door: Door::default(),
            beside,
            calls: places(options.calls_max),
            tools: places(options.tool_streams_max),
            watches: Watches::new(options.watches_per_caller_max),
            options,
        }))
    }

    pub(super) fn door(&self) -> Door {
        self.0.door.clone()
    }

    /// The gate for the calls of one connection.
    pub(super) fn of(&self, place: &Place) -> PeerGate {
        PeerGate {
            inner: self.0.clone(),
            peer: place.peer.clone(),
            connections: place.connections.clone(),
        }
    }
}

/// What the calls of one connection pass.
#[derive(Clone, Debug)]
pub(super) struct PeerGate {
    inner: Arc<Inner>,
    peer: Arc<Peer>,
    connections: Arc<Connections>,
}

impl tower::Service<Request<Incoming>> for PeerGate {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let gate = self.clone();
        async move { Ok(gate.pass(request).await.unwrap_or_else(Status::into_http)) }.boxed()
    }
}

impl PeerGate {
    async fn pass(&self, mut request: Request<Incoming>) -> Result<Response<Body>, Status> {
        let open = OpenCall::new(self.peer.clone());
        let inner = &*self.inner;
        let entry = inner.methods.get(request.uri().path()).copied();
        let method = entry.as_ref().map(|entry| &entry.method);
        let admitted = inner.callers.admit(method, request.headers());
        let caller = admitted.inspect_err(|_| self.peer.charge(REFUSED_COST))?;
        let name = caller.shared_name();
        CallerSlot::tell(&request, name.clone());
        let Some(Entry { method, beside }) = entry else {
            self.peer.charge(REFUSED_COST);
            return Err(Status::unimplemented("there is no such method"));
        };
        let routes = if beside {
            &inner.beside
        } else {
            let opened = inner.door.0.get();
            opened.ok_or_else(dependency_unavailable)?
        };
        let deadline = Deadline::of(request.headers(), inner.options.deadlines);
        request.extensions_mut().insert(caller.clone());
        request.extensions_mut().insert(deadline);
        match method.kind {
            Kind::Call => {
                let calls = (!beside).then_some(&inner.calls);
                let answer = self.run(request, routes, deadline, calls).await?;
                let (head, body) = answer.into_parts();
                let held = hold_answer(body, open, |bytes| self.hold(bytes)).await;
                Ok(Response::from_parts(head, Body::new(held)))
            }
            Kind::Watch => {
                let max = inner.options.watches_per_connection_max;
                let watch = OpenWatch::new(self.peer.clone(), max).ok_or_else(overloaded)?;
                // Those of tools are bounded for all callers together.
                let tool = beside.then(|| self.tool()).transpose()?;
                let own = || inner.watches.open(name).ok_or_else(overloaded);
                let own = (!beside).then(own).transpose()?;
                let calls = (!beside).then_some(&inner.calls);
                let answer = self.run(request, routes, deadline, calls).await?;
                let (head, body) = answer.into_parts();
                if http_body::Body::is_end_stream(&body) {
                    return Ok(Response::from_parts(head, body));
                }
                let guards = (open, watch, tool, own);
                let body = Ending::new(body, self.peer.ending.clone(), caller.revoked(), guards);
                Ok(Response::from_parts(head, Body::new(body)))
            }
            Kind::Upload => {
                // How long it lasts is the caller's affair; how many there are, and how long a message is waited for, the method's.
                tokio::select! {
                    answer = forward(routes, request.map(Body::new)) => Ok(answer),
                    () = caller.revoked().cancelled_owned() => Err(unauthenticated()),
                    () = self.peer.ending.cancelled() => Err(dependency_unavailable()),
                }
            }
            Kind::Stream => {
                let tool = self.tool()?;
                let answer =
                    deadline.run(async { Ok(forward(routes, request.map(Body::new)).await) });
                let (head, body) = answer.await?.into_parts();
                let ending = self.peer.ending.child_token();
                let (late, time) = (ending.clone(), inner.options.reflection_max);
                let late = tokio::spawn(async move {
                    tokio::time::sleep(time).await;
                    late.cancel();
                });
                let late = tokio_util::task::AbortOnDropHandle::new(late);
                let body = Ending::new(body, ending, caller.revoked(), (open, tool, late));
                Ok(Response::from_parts(head, Body::new(body)))
            }
        }
    }

    /// Takes in the message and runs the method, within the time that the caller has. What is awaited is pinned here, not handed on,
    /// for else each wrapping would carry it once more.
    async fn run(
        &self,
        request: Request<Incoming>,
        routes: &Routes,
        deadline: Deadline,
        calls: Option<&Arc<Semaphore>>,
    ) -> Result<Response<Body>, Status> {
        if calls.is_some_and(|calls| calls.available_permits() == 0) {
            return Err(overloaded());
        }
        let work = pin!(async {
            let (head, body) = request.into_parts();
            let receiving = pin!(async {
                let bytes_max = self.inner.options.message_bytes_max;
                let received = receive(body, bytes_max, |bytes| self.hold(bytes)).await;
                received.map_err(|_| Status::cancelled("the request broke off"))
            });
            let within = deadline.at_most(self.inner.options.receive_max);
            let received = within.run(receiving).await;
            if !received.as_ref().is_ok_and(|(_, whole)| *whole) {
                self.peer.charge(BROKEN_COST);
            }
            let (received, _) = received?;
            let place = calls
                .map(|calls| calls.clone().try_acquire_owned())
                .transpose();
            let _place = place.map_err(|_| overloaded())?;
            Ok(forward(routes, Request::from_parts(head, Body::new(received))).await)
        });
        deadline.run(work).await
    }

    fn tool(&self) -> Result<OwnedSemaphorePermit, Status> {
        let place = self.inner.tools.clone().try_acquire_owned();
        place.map_err(|_| overloaded())
    }

    fn hold(&self, bytes: usize) -> Hold {
        Hold::new(self.peer.clone(), self.connections.clone(), bytes)
    }
}

async fn forward(routes: &Routes, request: Request<Body>) -> Response<Body> {
    match routes.clone().oneshot(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

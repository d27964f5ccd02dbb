//! What is seen of each request: its figures, one line in the log, and a span of its trace.
//!
//! Methods come from the descriptors of what is served, so labels are bounded whatever peers ask for. What a request costs here when
//! nothing is logged or exported is a few hundred nanoseconds: figures are found once for each method, not for each request.
//! Deliberately absent: messages, metadata and members. A log line that named the two of a refused invitation would tell
//! who blocked whom; so no line, label or span names anybody.

mod body;
mod log;
mod methods;

use std::borrow::Cow;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use http::{Request, Response, StatusCode};
use pin_project_lite::pin_project;
use prometheus_client::registry::Registry;
use tokio::task::futures::TaskLocalFuture;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Status};
use tower::Service;
use tracing::Level;

pub use methods::MalformedDescriptors;

use crate::server::Api;
use crate::status::{self, Told};
use crate::trace::{self, Span, SpanKind, TraceContext, Tracer};
use body::Observed;
use log::Throttles;
use methods::{Method, Methods, code_name};

/// Sees every request of a process. Clones are the same.
#[derive(Clone, Debug)]
pub struct Requests(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    methods: Methods,
    tracer: Tracer,
    throttles: Throttles,
}

impl Requests {
    /// Sees the requests to the methods of `api`; any other is counted as `other`.
    pub fn new(api: &Api, tracer: Tracer) -> Result<Self, MalformedDescriptors> {
        Ok(Self(Arc::new(Inner {
            methods: Methods::of(api)?,
            tracer,
            throttles: Throttles::default(),
        })))
    }

    /// Adds the figures to what is scraped.
    pub fn register(&self, registry: &mut Registry) {
        self.0.methods.register(registry);
    }

    /// `inner`, seen.
    pub fn layer<S>(&self, inner: S) -> Seen<S> {
        Seen {
            inner,
            requests: self.clone(),
        }
    }

    fn begin<B>(&self, request: &mut Request<B>) -> Underway {
        let caller = CallerSlot::default();
        request.extensions_mut().insert(caller.clone());
        let method = self.0.methods.get(request.uri().path());
        let parent = request
            .headers()
            .get(trace::HEADER)
            .and_then(|value| TraceContext::parse(value.to_str().ok()?));
        method.in_flight.inc();
        Underway {
            span: self.0.tracer.begin(method.path, SpanKind::Server, parent),
            requests: self.0.clone(),
            method,
            caller,
            started: Instant::now(),
            ended: false,
        }
    }
}

/// Where whoever finds out who calls says so, for the log; travels in the extensions of a request. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct CallerSlot(Arc<OnceLock<Arc<str>>>);

impl CallerSlot {
    /// Says by which name the caller of the request is known, if it is asked for. The first word stays.
    pub fn tell<B>(request: &Request<B>, name: Arc<str>) {
        if let Some(Self(slot)) = request.extensions().get() {
            slot.get_or_init(|| name);
        }
    }
}

/// A service whose requests are seen.
#[derive(Clone, Debug)]
pub struct Seen<S> {
    inner: S,
    requests: Requests,
}

impl<S, B> Service<Request<B>> for Seen<S>
where
    S: Service<Request<B>, Response = Response<Body>, Error = Infallible>,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let underway = self.requests.begin(&mut request);
        let context = underway.span.context();
        let inner = trace::within_sync(context, || self.inner.call(request));
        Answering {
            inner: trace::within(context, inner),
            underway: Some(underway),
        }
    }
}

pin_project! {
    /// A request that is being answered.
    pub struct Answering<F> {
        #[pin]
        inner: TaskLocalFuture<TraceContext, F>,
        underway: Option<Underway>,
    }
}

impl<F: Future<Output = Result<Response<Body>, Infallible>>> Future for Answering<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let inner = this.inner;
        // After a panic the inner future is never touched again, so what it leaves half done is seen by nobody.
        let polled = catch_unwind(AssertUnwindSafe(|| inner.poll(cx)));
        let response = match polled {
            Ok(polled) => {
                let Ok(response) = ready!(polled);
                response
            }
            // Where it panicked stands in the log already.
            Err(_) => status::internal().into_http(),
        };
        let Some(underway) = this.underway.take() else {
            return Poll::Ready(Ok(response));
        };
        Poll::Ready(Ok(underway.answered(response)))
    }
}

/// A request between its arrival and its end.
#[derive(Debug)]
struct Underway {
    requests: Arc<Inner>,
    method: Arc<Method>,
    caller: CallerSlot,
    span: Span,
    started: Instant,
    ended: bool,
}

impl Underway {
    /// What goes out instead of `response`: the same, seen to its end where it is a stream.
    fn answered(mut self, response: Response<Body>) -> Response<Body> {
        let status = response.extensions().get::<Status>();
        let (code, told) = match status {
            Some(status) => (status.code(), Told::of(status)),
            None if response.status() == StatusCode::OK => (Code::Ok, None),
            None => (Code::Unknown, None),
        };
        if code == Code::Ok && self.method.streaming {
            return response.map(|body| Body::new(Observed::new(body, self)));
        }
        let reason = told.map_or("", |told| told.reason);
        let cause = told.and_then(|told| told.cause.as_deref());
        self.end(code, reason.into(), cause);
        response
    }

    /// Counts, logs and ends the span. `reason`: one of the contract, or nothing.
    fn end(&mut self, code: Code, reason: Cow<'static, str>, cause: Option<&str>) {
        self.ended = true;
        let took = self.started.elapsed();
        let line = log::Line {
            method: self.method.path,
            code: code_name(code),
            reason: &reason,
            caller: self.caller.0.get().map(|name| &**name),
            took,
            cause,
        };
        let log = || self.requests.throttles.log(log::level(code), &line);
        trace::within_sync(self.span.context(), log);
        self.span.set("rpc.response.status_code", code_name(code));
        if log::level(code) <= Level::WARN {
            self.span.fail();
        }
        if code != Code::Ok {
            self.span.set("acquaint.reason", reason.clone());
        }
        self.method.ended(code, reason, took);
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if !self.ended {
            // The caller went away, or the connection did.
            self.end(Code::Cancelled, "".into(), None);
        }
        self.method.in_flight.dec();
    }
}

#[cfg(test)]
mod tests;

//! What is seen of requests, against services that answer in every way there is.

use std::future::{Ready, ready};

use futures::StreamExt as _;
use http_body_util::{BodyExt as _, StreamBody};
use prometheus_client::encoding::text;
use prost::Message as _;
use prost_types::{
    FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto,
};
use tower::{ServiceExt as _, service_fn};

use super::*;
use crate::error::StoreError;
use crate::trace::TraceIds;

const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn requests() -> Requests {
    let method = |name: &str, streaming| MethodDescriptorProto {
        name: Some(name.to_owned()),
        server_streaming: Some(streaming),
        ..Default::default()
    };
    let file = FileDescriptorProto {
        package: Some("test".to_owned()),
        service: vec![ServiceDescriptorProto {
            name: Some("Things".to_owned()),
            method: vec![method("Get", false), method("Watch", true)],
            ..Default::default()
        }],
        ..Default::default()
    };
    let encoded = FileDescriptorSet { file: vec![file] }
        .encode_to_vec()
        .leak();
    let api = Api {
        methods: &[],
        services: &["test.Things"],
        descriptor_sets: Box::leak(Box::new([&*encoded])),
    };
    Requests::new(&api, Tracer::without_export(TraceIds::new(1))).unwrap()
}

fn to(path: &str) -> Request<()> {
    Request::builder()
        .uri(format!("http://here{path}"))
        .header(trace::HEADER, TRACEPARENT)
        .body(())
        .unwrap()
}

/// A service that answers with `response`.
fn answering(
    response: impl Fn() -> Response<Body> + Clone,
) -> impl Service<
    Request<()>,
    Response = Response<Body>,
    Error = Infallible,
    Future = Ready<Result<Response<Body>, Infallible>>,
> + Clone {
    service_fn(move |_: Request<()>| ready(Ok(response())))
}

/// The figures that are not 0, each without what all have in common.
fn figures(requests: &Requests) -> Vec<String> {
    let mut registry = Registry::default();
    requests.register(&mut registry);
    let mut page = String::new();
    text::encode(&mut page, &registry).unwrap();
    let lines = page.lines().filter(|line| {
        let counted = [
            "requests",
            "stream_messages",
            "request_duration_seconds_count",
        ];
        counted.iter().any(|name| line.starts_with(name)) && !line.ends_with(" 0")
    });
    let mut lines: Vec<_> = lines
        .map(|line| line.replace("grpc_service=\"test.Things\",", ""))
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn requests_are_counted_by_method_code_and_reason() {
    let requests = requests();
    let ok = || Response::new(Body::empty());
    let refused = || {
        let refused = status::Refused::new(Code::NotFound, "MEMBER_NOT_FOUND", "");
        Status::from(refused).into_http()
    };
    let odd = || Status::unimplemented("").into_http();
    for (path, response) in [
        ("/test.Things/Get", ok as fn() -> _),
        ("/test.Things/Get", ok),
        ("/test.Things/Get", refused),
        ("/test.Things/Watch", refused),
        ("/test.Things/None", odd),
        ("/other.Things/Get", odd),
        ("/", odd),
    ] {
        let answer = requests.layer(answering(response)).oneshot(to(path)).await;
        drop(answer.unwrap());
    }
    let expected = [
        "request_duration_seconds_count{grpc_method=\"Get\"} 3",
        "request_duration_seconds_count{grpc_service=\"other\",grpc_method=\"other\"} 3",
        "requests_total{grpc_method=\"Get\",code=\"NOT_FOUND\",reason=\"MEMBER_NOT_FOUND\"} 1",
        "requests_total{grpc_method=\"Get\",code=\"OK\",reason=\"\"} 2",
        "requests_total{grpc_method=\"Watch\",code=\"NOT_FOUND\",reason=\"MEMBER_NOT_FOUND\"} 1",
        "requests_total{grpc_service=\"other\",grpc_method=\"other\",code=\"UNIMPLEMENTED\",reason=\"\"} 3",
    ];
    assert_eq!(figures(&requests), expected);
}

#[tokio::test]
async fn work_belongs_to_the_callers_trace() {
    let requests = requests();
    let seen = service_fn(|_: Request<()>| async {
        let context = trace::current().unwrap();
        assert_eq!(context.to_string(), TRACEPARENT);
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let called = requests.layer(seen).oneshot(to("/test.Things/Get"));
    called.await.unwrap();
    let begun = service_fn(|_: Request<()>| async {
        assert!(trace::current().is_some());
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let mut without = to("/test.Things/Get");
    without.headers_mut().remove(trace::HEADER);
    requests.layer(begun).oneshot(without).await.unwrap();
    assert_eq!(trace::current(), None);
}

#[tokio::test]
async fn a_panic_is_answered_and_counted() {
    let requests = requests();
    let broken = service_fn(|request: Request<()>| async move {
        assert_eq!(request.uri().path(), "/", "this fails");
        Ok::<_, Infallible>(Response::new(Body::empty()))
    });
    let called = requests.layer(broken).oneshot(to("/test.Things/Get"));
    let answer = called.await.unwrap();
    let status = answer.extensions().get::<Status>().unwrap();
    assert_eq!(status.code(), Code::Internal);
    assert_eq!(status.message(), "internal error");
    let expected = "requests_total{grpc_method=\"Get\",code=\"INTERNAL\",reason=\"INTERNAL\"} 1";
    assert!(figures(&requests).contains(&expected.to_owned()));
}

#[tokio::test]
async fn a_caller_who_goes_away_is_counted() {
    let requests = requests();
    let never = service_fn(|_: Request<()>| std::future::pending());
    let called = requests.layer(never).oneshot(to("/test.Things/Get"));
    let mut called = Box::pin(called);
    assert!(futures::poll!(&mut called).is_pending());
    let underway = "requests_in_flight{grpc_method=\"Get\"} 1".to_owned();
    assert_eq!(figures(&requests), [underway]);
    drop(called);
    let cancelled = "requests_total{grpc_method=\"Get\",code=\"CANCELLED\",reason=\"\"} 1";
    assert!(figures(&requests).contains(&cancelled.to_owned()));
    assert!(
        !figures(&requests)
            .iter()
            .any(|line| line.contains("in_flight"))
    );
}

/// A stream of two messages that ends with `status`.
fn stream(status: &Status) -> Response<Body> {
    let mut trailers = http::HeaderMap::new();
    status.add_header(&mut trailers).unwrap();
    let data = |byte: u8| http_body::Frame::data(hyper::body::Bytes::from(vec![byte]));
    let frames = [data(1), data(2), http_body::Frame::trailers(trailers)];
    let frames = futures::stream::iter(frames).map(Ok::<_, Status>);
    Response::new(Body::new(StreamBody::new(frames)))
}

#[tokio::test]
async fn a_stream_is_seen_to_its_end() {
    let requests = requests();
    let slow = || stream(&status::watch_end(crate::watch::WatchEnd::ConsumerTooSlow));
    let called = requests
        .layer(answering(slow))
        .oneshot(to("/test.Things/Watch"));
    let mut body = called.await.unwrap().into_body();
    let underway = "requests_in_flight{grpc_method=\"Watch\"} 1".to_owned();
    assert_eq!(figures(&requests), [underway]);
    while let Some(frame) = body.frame().await {
        frame.unwrap();
    }
    drop(body);
    let expected = [
        "requests_total{grpc_method=\"Watch\",code=\"RESOURCE_EXHAUSTED\",reason=\"CONSUMER_TOO_SLOW\"} 1",
        "stream_messages_total{grpc_method=\"Watch\"} 2",
    ];
    assert_eq!(figures(&requests), expected);
    // Left before its end.
    let called = requests
        .layer(answering(slow))
        .oneshot(to("/test.Things/Watch"));
    drop(called.await.unwrap());
    let cancelled = "requests_total{grpc_method=\"Watch\",code=\"CANCELLED\",reason=\"\"} 1";
    assert!(figures(&requests).contains(&cancelled.to_owned()));
}

#[test]
fn why_the_store_failed_is_known_inside_alone() {
    let status = status::store_error(&StoreError::corrupt("row 7"));
    let told = Told::of(&status).unwrap();
    assert_eq!(told.reason, "INTERNAL");
    assert_eq!(told.cause.as_deref(), Some("the store is corrupt: row 7"));
    let mut outside = http::HeaderMap::new();
    status.add_header(&mut outside).unwrap();
    assert!(!format!("{outside:?}").contains("row 7"));
}

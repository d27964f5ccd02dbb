//! Tests of the server over a real socket. Waits are for events; the only clock is the drain's bound.

use std::convert::Infallible;
use std::future::Pending;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::transport::Channel;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServerReflectionResponse};
use tower::Service;

use super::*;
use crate::trace::{TraceIds, Tracer};

struct Running {
    channel: Channel,
    address: SocketAddr,
    health: HealthHandle,
    shutdown: CancellationToken,
    server: JoinHandle<Result<(), ServeError>>,
}

async fn start(routes: RoutesBuilder, drain: Duration) -> Running {
    let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (health, shutdown) = (HealthHandle::new(), CancellationToken::new());
    let options = ServerOptions {
        drain,
        ..ServerOptions::default()
    };
    let server = tokio::spawn(serve(
        listener,
        routes,
        API,
        requests(),
        health.clone(),
        shutdown.clone(),
        options,
    ));
    let channel = Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap();
    Running {
        channel,
        address,
        health,
        shutdown,
        server,
    }
}

const API: Api = Api {
    services: &["test.Known"],
    descriptor_sets: &[],
};

fn requests() -> Requests {
    Requests::new(&API, Tracer::without_export(TraceIds::new(1))).unwrap()
}

const LONG: Duration = Duration::from_mins(10);

fn about(service: &str) -> HealthCheckRequest {
    HealthCheckRequest {
        service: service.to_owned(),
    }
}

fn status(response: HealthCheckResponse) -> ServingStatus {
    response.status()
}

#[tokio::test]
async fn only_loopback_is_listened_on() {
    for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let refused = listen(open.parse().unwrap()).await;
        assert!(
            matches!(refused, Err(ListenError::NotLoopback(_))),
            "{open}"
        );
    }
    let open = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let none = RoutesBuilder::default();
    let (health, token) = (HealthHandle::new(), CancellationToken::new());
    let refused = serve(
        open,
        none,
        API,
        requests(),
        health,
        token,
        ServerOptions::default(),
    )
    .await;
    assert!(matches!(
        refused,
        Err(ServeError::Listen(ListenError::NotLoopback(_)))
    ));
    let bound = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let again = listen(bound.local_addr().unwrap()).await;
    assert!(matches!(again, Err(ListenError::Bind { .. })));
}

#[tokio::test]
async fn health_says_what_it_was_told() {
    let running = start(RoutesBuilder::default(), LONG).await;
    let mut client = HealthClient::new(running.channel.clone());
    let mut watch = client
        .watch(about("test.Known"))
        .await
        .unwrap()
        .into_inner();
    let mut unknown = client
        .watch(about("test.Unknown"))
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        status(watch.message().await.unwrap().unwrap()),
        ServingStatus::NotServing
    );
    assert_eq!(
        status(unknown.message().await.unwrap().unwrap()),
        ServingStatus::ServiceUnknown
    );
    running.health.set_serving();
    assert_eq!(
        status(watch.message().await.unwrap().unwrap()),
        ServingStatus::Serving
    );
    for known in ["", "test.Known"] {
        let answer = client.check(about(known)).await.unwrap().into_inner();
        assert_eq!(status(answer), ServingStatus::Serving, "{known}");
    }
    let refused = client.check(about("test.Unknown")).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::NotFound);

    running.shutdown.cancel();
    assert_eq!(
        status(watch.message().await.unwrap().unwrap()),
        ServingStatus::NotServing
    );
    assert!(
        watch.message().await.unwrap().is_none(),
        "a watch does not hold the drain"
    );
    running.server.await.unwrap().unwrap();
    running.health.set_serving();
    assert!(
        tokio::net::TcpStream::connect(running.address)
            .await
            .is_err(),
        "no longer listening"
    );
}

async fn reflect(channel: Channel, asked: MessageRequest) -> MessageResponse {
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(asked),
    };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(futures::stream::iter([request]))
        .await
        .unwrap()
        .into_inner();
    let answer: ServerReflectionResponse = answers.message().await.unwrap().unwrap();
    answer.message_response.unwrap()
}

#[tokio::test]
async fn reflection_knows_health_and_error_details() {
    let running = start(RoutesBuilder::default(), LONG).await;
    let listed = reflect(
        running.channel.clone(),
        MessageRequest::ListServices(String::new()),
    )
    .await;
    let MessageResponse::ListServicesResponse(listed) = listed else {
        unreachable!()
    };
    let names: Vec<_> = listed
        .service
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
    for symbol in [
        "google.rpc.ErrorInfo",
        "google.rpc.RetryInfo",
        "google.rpc.Status",
        "google.protobuf.Any",
        "google.protobuf.Duration",
    ] {
        let asked = MessageRequest::FileContainingSymbol(symbol.to_owned());
        let found = reflect(running.channel.clone(), asked).await;
        assert!(
            matches!(found, MessageResponse::FileDescriptorResponse(_)),
            "{symbol}"
        );
    }
}

/// A service whose calls never end, and that says when a call begins and when it is dropped.
#[derive(Clone)]
struct Endless(mpsc::UnboundedSender<&'static str>);

struct Dropped(mpsc::UnboundedSender<&'static str>);

impl Drop for Dropped {
    fn drop(&mut self) {
        let _ = self.0.send("dropped");
    }
}

impl NamedService for Endless {
    const NAME: &'static str = "grpc.health.v1.Endless";
}

impl Service<http::Request<Body>> for Endless {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = futures::future::BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        let told = Dropped(self.0.clone());
        let _ = self.0.send("begun");
        Box::pin(async move {
            let _told = told;
            let endless: Pending<()> = std::future::pending();
            endless.await;
            Ok(http::Response::default())
        })
    }
}

#[tokio::test]
async fn what_does_not_end_in_time_is_cut() {
    let (told, mut heard) = mpsc::unbounded_channel();
    let mut routes = RoutesBuilder::default();
    routes.add_service(Endless(told));
    let running = start(routes, Duration::from_millis(20)).await;
    let seen = Arc::new(Mutex::new(None));
    let call = tokio::spawn({
        let (mut channel, seen) = (running.channel.clone(), seen.clone());
        async move {
            let request = http::Request::post("http://test/grpc.health.v1.Endless/Call");
            std::future::poll_fn(|cx| channel.poll_ready(cx))
                .await
                .unwrap();
            let answer = channel.call(request.body(Body::empty()).unwrap()).await;
            *seen.lock().unwrap() = Some(answer.is_err());
        }
    });
    assert_eq!(heard.recv().await, Some("begun"));
    running.shutdown.cancel();
    running.server.await.unwrap().unwrap();
    assert_eq!(heard.recv().await, Some("dropped"));
    call.await.unwrap();
    assert_eq!(*seen.lock().unwrap(), Some(true), "the caller is told");
}

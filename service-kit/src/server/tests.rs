//! Tests of the server over a real socket. Waits are for events; the only clock is the drain's bound.

mod tools;

use std::convert::Infallible;
use std::future::Pending;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::net::TcpStream;
use tokio::sync::mpsc;
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
use crate::auth::{Access, Role, new_token};
use crate::trace::{TraceIds, Tracer};

mod hostile;

struct Running {
    channel: Channel,
    address: SocketAddr,
    figures: ConnectionMetrics,
    health: HealthHandle,
    shutdown: CancellationToken,
    server: Serving,
}

const API: Api = Api {
    services: &["test.Known"],
    methods: &[Method::call("/test.Endless/Call", Access::Role(Role::App))],
    descriptor_sets: &[],
};

fn requests() -> Requests {
    Requests::new(&API, Tracer::without_export(TraceIds::new(1))).unwrap()
}

async fn start(routes: RoutesBuilder, drain: Duration) -> Running {
    let options = ServerOptions {
        drain,
        ..ServerOptions::default()
    };
    start_with(Some(routes), Callers::anybody(), &options).await
}

/// Without `routes` the door stays shut.
async fn start_with(
    routes: Option<RoutesBuilder>,
    callers: Callers,
    options: &ServerOptions,
) -> Running {
    start_api(API, routes, callers, options).await
}

async fn start_api(
    api: Api,
    routes: Option<RoutesBuilder>,
    callers: Callers,
    options: &ServerOptions,
) -> Running {
    let listener = listen("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (health, shutdown) = (HealthHandle::new(), CancellationToken::new());
    let (figures, told) = (ConnectionMetrics::default(), health.clone());
    let server = Server::new(
        listener,
        api,
        callers,
        requests(),
        figures.clone(),
        told,
        *options,
    );
    let server = server.unwrap();
    let server = server.start(&shutdown);
    if let Some(routes) = routes {
        server.door.open(routes);
    }
    let channel = Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap();
    Running {
        channel,
        address,
        figures,
        health,
        shutdown,
        server,
    }
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
async fn without_credentials_only_loopback_is_listened_on() {
    for open in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
        let refused = listen(open.parse().unwrap(), false).await;
        assert!(
            matches!(refused, Err(ListenError::NotLoopback(_))),
            "{open}"
        );
    }
    let refused = serve_on_all_addresses(Callers::anybody()).await;
    assert!(matches!(
        refused,
        Err(ServeError::Listen(ListenError::NotLoopback(_)))
    ));
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("tokens.toml");
    std::fs::write(&tokens, new_token("a", &[Role::App]).unwrap().stanza).unwrap();
    let callers = Callers::load(Some(&tokens)).unwrap();
    assert!(serve_on_all_addresses(callers).await.is_ok());
    let bound = listen("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
    let again = listen(bound.local_addr().unwrap(), false).await;
    assert!(matches!(again, Err(ListenError::Bind { .. })));
}

async fn serve_on_all_addresses(callers: Callers) -> Result<Server<TcpListener>, ServeError> {
    let open = listen("0.0.0.0:0".parse().unwrap(), true).await.unwrap();
    let (health, options) = (HealthHandle::new(), ServerOptions::default());
    let figures = ConnectionMetrics::default();
    Server::new(open, API, callers, requests(), figures, health, options)
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
    running.server.task.await.unwrap();
    running.health.set_serving();
    assert!(
        TcpStream::connect(running.address).await.is_err(),
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
    const NAME: &'static str = "test.Endless";
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
            let request = http::Request::post("http://test/test.Endless/Call");
            std::future::poll_fn(|cx| channel.poll_ready(cx))
                .await
                .unwrap();
            let answer = channel.call(request.body(Body::empty()).unwrap()).await;
            *seen.lock().unwrap() = Some(answer.is_err());
        }
    });
    assert_eq!(heard.recv().await, Some("begun"));
    running.shutdown.cancel();
    running.server.task.await.unwrap();
    assert_eq!(heard.recv().await, Some("dropped"));
    call.await.unwrap();
    assert_eq!(*seen.lock().unwrap(), Some(true), "the caller is told");
}

/// A service that answers nothing and at once.
#[derive(Clone)]
struct Quick;

impl NamedService for Quick {
    const NAME: &'static str = "test.Endless";
}

impl Service<http::Request<Body>> for Quick {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        std::future::ready(Ok(tonic::Status::ok("").into_http()))
    }
}

fn quick() -> RoutesBuilder {
    let mut routes = RoutesBuilder::default();
    routes.add_service(Quick);
    routes
}

fn endless() -> (RoutesBuilder, mpsc::UnboundedReceiver<&'static str>) {
    let (told, heard) = mpsc::unbounded_channel();
    let mut routes = RoutesBuilder::default();
    routes.add_service(Endless(told));
    (routes, heard)
}

/// The code that a call of the one method is answered with.
async fn code(channel: &Channel, body: Body) -> Result<tonic::Code, tonic::transport::Error> {
    let mut channel = channel.clone();
    std::future::poll_fn(|cx| channel.poll_ready(cx)).await?;
    let request = http::Request::post("http://test/test.Endless/Call");
    let answer = channel.call(request.body(body).unwrap()).await?;
    let status = tonic::Status::from_header_map(answer.headers());
    Ok(status.map_or(tonic::Code::Ok, |status| status.code()))
}

#[tokio::test]
async fn until_the_door_is_open_health_alone_answers() {
    let options = ServerOptions::default();
    let running = start_with(None, Callers::anybody(), &options).await;
    let answered = code(&running.channel, Body::empty()).await.unwrap();
    assert_eq!(answered, tonic::Code::Unavailable);
    let mut health = HealthClient::new(running.channel.clone());
    let answer = health.check(about("test.Known")).await.unwrap();
    assert_eq!(status(answer.into_inner()), ServingStatus::NotServing);
}

#[tokio::test]
async fn a_call_too_many_is_refused_and_health_is_not() {
    let (routes, mut heard) = endless();
    let options = ServerOptions {
        calls_max: 1,
        ..ServerOptions::default()
    };
    let running = start_with(Some(routes), Callers::anybody(), &options).await;
    let (channel, first) = (running.channel.clone(), running.channel.clone());
    let first = tokio::spawn(async move { code(&first, Body::empty()).await });
    assert_eq!(heard.recv().await, Some("begun"));
    let answered = code(&channel, Body::empty()).await.unwrap();
    assert_eq!(answered, tonic::Code::Unavailable);
    let mut health = HealthClient::new(channel.clone());
    assert!(health.check(about("")).await.is_ok());
    first.abort();
    assert_eq!(heard.recv().await, Some("dropped"));
    let again = tokio::spawn(async move { code(&channel, Body::empty()).await });
    assert_eq!(heard.recv().await, Some("begun"), "there is a place again");
    again.abort();
}

#[tokio::test]
async fn a_message_that_does_not_come_keeps_no_place() {
    let options = ServerOptions {
        calls_max: 1,
        receive_max: Duration::from_millis(50),
        ..ServerOptions::default()
    };
    let running = start_with(Some(quick()), Callers::anybody(), &options).await;
    let never = futures::stream::pending::<Result<http_body::Frame<bytes::Bytes>, tonic::Status>>();
    let never = Body::new(http_body_util::StreamBody::new(never));
    let (late, quick) = tokio::join!(
        code(&running.channel, never),
        code(&running.channel, Body::empty())
    );
    assert_eq!(quick.unwrap(), tonic::Code::Ok);
    assert_eq!(late.unwrap(), tonic::Code::DeadlineExceeded);
}

/// Whether the socket is closed from the other side, whatever comes before.
async fn is_ended(mut socket: TcpStream) -> bool {
    let mut rest = Vec::new();
    let ended = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut rest);
    // Closed or reset: ended either way.
    tokio::time::timeout(Duration::from_secs(20), ended)
        .await
        .is_ok()
}

/// A connection that has said what it must and no more.
async fn begun(address: SocketAddr) -> TcpStream {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let hello = [guarded::PREFACE, &[0, 0, 0, 4, 0, 0, 0, 0, 0]].concat();
    tokio::io::AsyncWriteExt::write_all(&mut socket, &hello)
        .await
        .unwrap();
    socket
}

#[tokio::test]
async fn a_connection_without_use_is_ended() {
    let short = Duration::from_millis(50);
    for options in [
        ServerOptions {
            handshake_max: short,
            ..ServerOptions::default()
        },
        ServerOptions {
            idle_max: short,
            age_grace: short,
            ..ServerOptions::default()
        },
        ServerOptions {
            age_max: short,
            age_grace: short,
            ..ServerOptions::default()
        },
    ] {
        let running = start_with(Some(quick()), Callers::anybody(), &options).await;
        let socket = if options.handshake_max == short {
            TcpStream::connect(running.address).await.unwrap()
        } else {
            begun(running.address).await
        };
        assert!(is_ended(socket).await, "{options:?}");
        let mut socket = TcpStream::connect(running.address).await.unwrap();
        let http1 = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut socket, http1)
            .await
            .unwrap();
        assert!(is_ended(socket).await, "{options:?}");
    }
}

#[tokio::test]
async fn an_old_connection_lets_its_calls_end_and_its_streams_resume_elsewhere() {
    let options = ServerOptions {
        age_max: Duration::from_millis(100),
        ..ServerOptions::default()
    };
    let running = start_with(Some(quick()), Callers::anybody(), &options).await;
    let mut client = HealthClient::new(running.channel.clone());
    let mut watch = client.watch(about("")).await.unwrap().into_inner();
    assert!(watch.message().await.unwrap().is_some());
    let end = watch.message().await.unwrap_err();
    assert_eq!(end.code(), tonic::Code::Unavailable);
    // The channel connects anew by itself.
    assert!(client.check(about("")).await.is_ok());
}

//! Whoever makes the server work for nothing is ended, and nobody else is.

use std::path::Path;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::watch;

use super::*;
use crate::server::figures::End;

/// How long what must happen may take.
const SOON: Duration = Duration::from_secs(20);

const HEADERS: u8 = 1;
const DATA: u8 = 0;
const RST_STREAM: u8 = 3;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![a, b, c, kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// The headers of a call, without any compression.
fn call(path: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let usual = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "test"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let mut block = Vec::new();
    for (name, value) in usual.iter().chain(more) {
        block.push(0);
        for text in [name, value] {
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// A call of the one method with these bytes as its message.
fn calls(stream: u32, message: &[u8]) -> Vec<u8> {
    let path = "/test.Endless/Call";
    let begun = frame(HEADERS, END_HEADERS, stream, &call(path, &[]));
    [begun, frame(DATA, END_STREAM, stream, message)].concat()
}

/// A message of five bytes.
const WHOLE: &[u8] = &[0, 0, 0, 0, 5, 1, 2, 3, 4, 5];

/// Reads to the end, and says up to which call there were answers.
async fn read(mut read: OwnedReadHalf, answered: watch::Sender<u32>) {
    let mut bytes = Vec::new();
    // Closed or reset: ended either way.
    while let Ok(1..) = read.read_buf(&mut bytes).await {
        while let Some((head, rest)) = bytes.split_at_checked(9) {
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize;
            if rest.len() < length {
                break;
            }
            if head[3] <= HEADERS && head[4] & END_STREAM != 0 {
                let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
                answered.send_modify(|last| *last = stream.max(*last));
            }
            bytes.drain(..9 + length);
        }
    }
}

/// Makes `most` calls as `call` has it for each stream, waiting at every 32nd for its answer where they are `answered`; whether the
/// connection was ended before all were made.
async fn flood(
    address: SocketAddr,
    most: u32,
    are_answered: bool,
    call: impl Fn(u32) -> Vec<u8>,
) -> bool {
    let (from, mut to) = begun(address).await.into_split();
    let (tell, mut answered) = watch::channel(0);
    let reading = tokio::spawn(read(from, tell));
    for stream in (0..most).map(|nth| 2 * nth + 1) {
        if to.write_all(&call(stream)).await.is_err() {
            return true;
        }
        if are_answered && stream % 64 == 63 {
            let soon = tokio::time::timeout(SOON, answered.wait_for(|last| *last >= stream));
            if soon.await.expect("an answer or the end").is_err() {
                return true;
            }
        }
    }
    drop(to);
    reading.await.unwrap();
    false
}

async fn eventually(holds: impl Fn() -> bool) {
    let until = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(SOON, until).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_sends_frames_without_use_is_cut() {
    let running = start_with(Some(quick()), Callers::anybody(), &ServerOptions::default()).await;
    let ping = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let window = [0, 0, 4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    let priority = [0, 0, 5, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 9];
    for frame in [&ping[..], &settings, &window, &priority] {
        let socket = begun(running.address).await;
        let (read, mut write) = socket.into_split();
        let flood = tokio::spawn({
            let frame = frame.repeat(64);
            async move {
                // Ends when the other side does.
                while write.write_all(&frame).await.is_ok() {}
            }
        });
        let mut read = read;
        let mut ignored = Vec::new();
        let ended = tokio::io::AsyncReadExt::read_to_end(&mut read, &mut ignored);
        let ended = tokio::time::timeout(Duration::from_secs(20), ended).await;
        assert!(ended.is_ok(), "{frame:?}");
        flood.await.unwrap();
    }
}

/// What they are, whether they are answered, and one of them on this stream.
type Calls<'a> = (&'a str, bool, &'a dyn Fn(u32) -> Vec<u8>);

#[tokio::test]
async fn calls_of_no_use_wear_out_their_connection() {
    let wrong = |stream| {
        let headers = call("/test.Endless/Other", &[]);
        let begun = frame(HEADERS, END_HEADERS, stream, &headers);
        [begun, frame(DATA, END_STREAM, stream, WHOLE)].concat()
    };
    let cancelled = |stream| {
        let headers = call("/test.Endless/Call", &[]);
        let begun = frame(HEADERS, END_HEADERS, stream, &headers);
        [begun, frame(RST_STREAM, 0, stream, &[0, 0, 0, 8])].concat()
    };
    let large = |stream| {
        let long = "x".repeat(120);
        let more = vec![("x-more", long.as_str()); 110];
        let headers = call("/test.Endless/Call", &more);
        frame(HEADERS, END_HEADERS | END_STREAM, stream, &headers)
    };
    let endless = [WHOLE, WHOLE].concat();
    let all: [Calls<'_>; 6] = [
        ("no message", true, &|stream| calls(stream, &[])),
        ("a message that breaks off", true, &|stream| {
            calls(stream, &WHOLE[..8])
        }),
        ("a message that goes on", true, &|stream| {
            calls(stream, &endless)
        }),
        ("no such method", true, &wrong),
        ("large headers", true, &large),
        ("cancelled", false, &cancelled),
    ];
    for (what, are_answered, call) in all {
        let options = ServerOptions::default();
        let running = start_with(Some(quick()), Callers::anybody(), &options).await;
        let ended = flood(running.address, 100_000, are_answered, call).await;
        assert!(ended, "{what}");
        let figures = &running.figures;
        // HTTP/2's own layer may be the first to lose patience with calls that are cancelled.
        let ends = || (figures.count(End::Frames), figures.count(End::Protocol));
        eventually(|| ends() == (1, 0) || !are_answered && ends() == (0, 1)).await;
    }
}

#[tokio::test]
async fn one_call_in_four_may_be_broken_and_as_many_cancelled() {
    let options = ServerOptions::default();
    let running = start_with(Some(answering()), Callers::anybody(), &options).await;
    let mixed = |stream: u32| match (stream / 2) % 4 {
        0 => calls(stream, &WHOLE[..8]),
        1 => {
            let reset = frame(RST_STREAM, 0, stream, &[0, 0, 0, 8]);
            [calls(stream, WHOLE), reset].concat()
        }
        _ => calls(stream, WHOLE),
    };
    assert!(!flood(running.address, 4_096, true, mixed).await);
    let figures = &running.figures;
    eventually(|| figures.count(End::Left) == 1).await;
    assert_eq!(figures.count(End::Frames), 0);
}

#[tokio::test]
async fn whoever_comes_too_early_waits_for_their_turn() {
    let options = ServerOptions {
        connections_per_address_per_second: 20,
        connections_per_address_burst: 1,
        ..ServerOptions::default()
    };
    let since = tokio::time::Instant::now();
    let running = start_with(Some(quick()), Callers::anybody(), &options).await;
    let endpoint = Channel::from_shared(format!("http://{}", running.address)).unwrap();
    let mut channels = Vec::new();
    for _ in 0..2 {
        let channel = endpoint.connect().await.unwrap();
        assert_eq!(
            code(&channel, Body::empty()).await.unwrap(),
            tonic::Code::Ok
        );
        channels.push(channel);
    }
    assert!(since.elapsed() >= Duration::from_millis(100));
    assert_eq!(running.figures.delayed.get(), 2);
    assert_eq!(running.figures.open.get(), 3);
}

/// A service that answers with a message and two frames of headers.
#[derive(Clone)]
struct Answering;

/// A service whose answers stay open.
#[derive(Clone)]
struct Open;

impl NamedService for Answering {
    const NAME: &'static str = "test.Endless";
}

impl NamedService for Open {
    const NAME: &'static str = "test.Open";
}

fn grpc(body: Body) -> http::Response<Body> {
    let response = http::Response::builder().header("content-type", "application/grpc");
    response.body(body).unwrap()
}

impl Service<http::Request<Body>> for Answering {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        let mut trailers = http::HeaderMap::new();
        trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
        let frames = [
            http_body::Frame::data(bytes::Bytes::from_static(WHOLE)),
            http_body::Frame::trailers(trailers),
        ];
        let frames = futures::stream::iter(frames.map(Ok::<_, tonic::Status>));
        let body = Body::new(http_body_util::StreamBody::new(frames));
        std::future::ready(Ok(grpc(body)))
    }
}

impl Service<http::Request<Body>> for Open {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<Body>) -> Self::Future {
        let never = futures::stream::pending::<Result<http_body::Frame<_>, tonic::Status>>();
        let body = Body::new(http_body_util::StreamBody::new(never));
        std::future::ready(Ok(grpc(body)))
    }
}

fn answering() -> RoutesBuilder {
    let mut routes = RoutesBuilder::default();
    routes.add_service(Answering);
    routes
}

const WATCHED: Api = Api {
    services: &["test.Open"],
    methods: &[Method::watch("/test.Open/Watch", Access::Role(Role::App))],
    descriptor_sets: &[],
};

/// A server with watches alone, for the callers of a file.
async fn watched(tokens: &Path, options: &ServerOptions) -> Running {
    let mut routes = RoutesBuilder::default();
    routes.add_service(Open);
    let callers = Callers::load(Some(tokens)).unwrap();
    start_api(WATCHED, Some(routes), callers, options).await
}

/// Opens a watch: its answers, or the code that it is refused with.
async fn open(channel: &Channel, token: &str) -> Result<Body, tonic::Code> {
    let mut channel = channel.clone();
    std::future::poll_fn(|cx| channel.poll_ready(cx))
        .await
        .unwrap();
    let request = http::Request::post("http://test/test.Open/Watch")
        .header("authorization", format!("Bearer {token}"))
        .body(Body::empty());
    let answer = channel.call(request.unwrap()).await.unwrap();
    match tonic::Status::from_header_map(answer.headers()) {
        Some(status) => Err(status.code()),
        None => Ok(answer.into_body()),
    }
}

/// The code that a watch ends with.
async fn end_of(mut watch: Body) -> tonic::Code {
    let frame = http_body_util::BodyExt::frame(&mut watch);
    let frame = tokio::time::timeout(SOON, frame).await.unwrap();
    let trailers = frame.unwrap().unwrap().into_trailers().unwrap();
    tonic::Status::from_header_map(&trailers).unwrap().code()
}

#[tokio::test]
async fn a_watch_ends_soon_after_its_callers_token_was_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let [goes, stays] = ["goes", "stays"].map(|name| new_token(name, &[Role::App]).unwrap());
    std::fs::write(&path, [&*goes.stanza, &stays.stanza].concat()).unwrap();
    let running = watched(&path, &ServerOptions::default()).await;
    let revoked = open(&running.channel, &goes.token).await.unwrap();
    let kept = open(&running.channel, &stays.token).await.unwrap();
    std::fs::write(&path, &stays.stanza).unwrap();
    assert_eq!(end_of(revoked).await, tonic::Code::Unauthenticated);
    let again = open(&running.channel, &goes.token).await;
    assert_eq!(again.unwrap_err(), tonic::Code::Unauthenticated);
    running.shutdown.cancel();
    assert_eq!(end_of(kept).await, tonic::Code::Unavailable);
}

#[tokio::test]
async fn a_caller_has_so_many_watches_over_all_connections() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let [one, other] = ["one", "other"].map(|name| new_token(name, &[Role::App]).unwrap());
    std::fs::write(&path, [&*one.stanza, &other.stanza].concat()).unwrap();
    let options = ServerOptions {
        watches_per_caller_max: 2,
        ..ServerOptions::default()
    };
    let running = watched(&path, &options).await;
    let address = format!("http://{}", running.address);
    let elsewhere = Channel::from_shared(address).unwrap().connect().await;
    let elsewhere = elsewhere.unwrap();
    let first = open(&running.channel, &one.token).await.unwrap();
    let _second = open(&elsewhere, &one.token).await.unwrap();
    let third = open(&elsewhere, &one.token).await;
    assert_eq!(third.unwrap_err(), tonic::Code::Unavailable);
    assert!(open(&elsewhere, &other.token).await.is_ok());
    drop(first);
    let until = async {
        while open(&elsewhere, &one.token).await.is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(SOON, until).await.unwrap();
}

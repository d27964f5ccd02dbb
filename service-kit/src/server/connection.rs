//! The life of one connection: its preface in time, calls, and an end: by age, for want of use, or cut.

use std::pin::pin;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::ServerOptions;
use super::connections::{Peer, Place};
use super::gate::PeerGate;
use super::guarded::{Guarded, PREFACE};
use crate::requests::Seen;

/// How large the window of a call is, in bytes: what a peer may send of it before it is read.
const STREAM_WINDOW_BYTES: u32 = 64 * 1_024;
/// How large the window of a connection is, in bytes.
const CONNECTION_WINDOW_BYTES: u32 = 256 * 1_024;
/// How large a frame may be, in bytes.
const FRAME_BYTES_MAX: u32 = 16 * 1_024;
/// How much of one answer waits in HTTP/2's own buffer, in bytes; the rest is counted.
const SEND_BUFFER_BYTES: usize = 64 * 1_024;

/// Serves one connection until it ends.
pub(super) async fn serve_connection<S>(
    mut socket: S,
    place: Place,
    gate: Seen<PeerGate>,
    options: ServerOptions,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let peer = &place.peer;
    let begun = tokio::select! {
        begun = timeout(options.handshake_max, preface(&mut socket)) => begun.unwrap_or(false),
        () = peer.cut.cancelled() => false,
        () = shutdown.cancelled() => false,
    };
    if !begun {
        tracing::debug!(connection = peer.id(), "no HTTP/2 preface");
        return;
    }
    let service = TowerToHyperService::new(gate);
    // Enough to begin all calls that it may have and to give them up again.
    let credit = options.concurrent_streams_max.saturating_mul(2);
    let socket = TokioIo::new(Guarded::new(socket, peer.clone(), credit));
    let mut connection = pin!(builder(&options).serve_connection(socket, service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        why = until_its_end(peer, &options, &shutdown) => {
            peer.ending.cancel();
            let Some(grace) = why else {
                return;
            };
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = peer.cut.cancelled() => Ok(()),
                () = sleep(grace) => Ok(()),
            }
        }
    };
    if let Err(error) = ended {
        // Peers come and go as they like.
        tracing::debug!(connection = peer.id(), "connection ended: {error}");
    }
}

/// Whether the peer begins as HTTP/2 does. Until it has, nothing is kept for it.
async fn preface(socket: &mut (impl AsyncRead + Unpin)) -> bool {
    let mut come = [0; PREFACE.len()];
    socket.read_exact(&mut come).await.is_ok() && come == PREFACE
}

fn builder(options: &ServerOptions) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.concurrent_streams_max)
        .max_header_list_size(options.header_bytes_max)
        .max_pending_accept_reset_streams(options.pending_reset_streams_max)
        .max_local_error_reset_streams(options.local_reset_streams_max)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_frame_size(FRAME_BYTES_MAX)
        .max_send_buf_size(SEND_BUFFER_BYTES)
        .keep_alive_interval(options.keepalive_interval)
        .keep_alive_timeout(options.keepalive_timeout);
    builder
}

/// Waits until the connection should end: how long it may go on with the calls it has, or `None` when it is to be cut.
async fn until_its_end(
    peer: &Peer,
    options: &ServerOptions,
    shutdown: &CancellationToken,
) -> Option<Duration> {
    let mut looks = interval(look_every(options));
    let watching = async {
        loop {
            looks.tick().await;
            if peer.stalled() >= options.stall_max {
                tracing::debug!(
                    connection = peer.id(),
                    "cutting a connection: it takes nothing"
                );
                return None;
            }
            if peer.calls() == 0 && peer.still() >= options.idle_max {
                tracing::debug!(connection = peer.id(), "ending a connection without calls");
                return Some(options.age_grace);
            }
        }
    };
    tokio::select! {
        // Whoever told it bounds the time.
        () = shutdown.cancelled() => Some(Duration::MAX),
        () = peer.cut.cancelled() => None,
        () = sleep(age(options.age_max, peer.id())) => Some(options.age_grace),
        end = watching => end,
    }
}

/// Often enough to keep either bound within a fourth.
fn look_every(options: &ServerOptions) -> Duration {
    let bound = options.stall_max.min(options.idle_max) / 4;
    bound.clamp(Duration::from_millis(10), Duration::from_secs(5))
}

/// The age of the connection with this number: up to a tenth less than `max`, so that connections of one moment do not all end in
/// another.
fn age(max: Duration, id: u64) -> Duration {
    // The multiplier is that of Fibonacci hashing: neighbours land far apart.
    let spread = id.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54;
    let part = u32::try_from(spread).unwrap_or(0);
    max.saturating_sub(max / 10 / 1_024 * part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_spread_within_a_tenth() {
        let hour = Duration::from_hours(1);
        let ages: Vec<_> = (0..100).map(|id| age(hour, id)).collect();
        assert!(ages.iter().all(|age| *age <= hour && *age * 10 >= hour * 9));
        let distinct: std::collections::BTreeSet<_> = ages.iter().collect();
        assert!(distinct.len() > 90, "{}", distinct.len());
        assert_eq!(age(Duration::MAX, 0), Duration::MAX);
    }
}

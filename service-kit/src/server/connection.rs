//! The life of one connection: its turn, its preface in time, calls, and an end: by age, for want of use, or cut.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::{interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::ServerOptions;
use super::connections::{Peer, Place};
use super::figures::End;
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
    options: Arc<ServerOptions>,
    shutdown: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let peer = &place.peer;
    let begun = tokio::select! {
        begun = begin(&mut socket, place.turn, options.handshake_max) => begun,
        // Whoever cut it has said why.
        () = peer.cut.cancelled() => return,
        () = shutdown.cancelled() => Err(End::Drain),
    };
    if let Err(why) = begun {
        peer.ends(why);
        return;
    }
    let service = TowerToHyperService::new(gate);
    // Enough to begin all calls that it may have and to give them up again.
    let credit = options.concurrent_streams_max.saturating_mul(2);
    let socket = TokioIo::new(Guarded::new(socket, peer.clone(), credit));
    let mut connection = pin!(builder(&options).serve_connection(socket, service));
    tokio::select! {
        ended = connection.as_mut() => peer.ends(why_ended(ended)),
        grace = until_its_end(peer, &options, &shutdown) => {
            peer.ending.cancel();
            let Some(grace) = grace else {
                return;
            };
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                _ = connection => {}
                () = peer.cut.cancelled() => {}
                () = sleep(grace) => {}
            }
        }
    }
}

/// Waits for its turn and for what every connection begins with; fails with why there is nothing to serve.
async fn begin(
    socket: &mut (impl AsyncRead + Unpin),
    turn: Option<Duration>,
    handshake_max: Duration,
) -> Result<(), End> {
    match turn {
        Some(Duration::ZERO) => {}
        Some(wait) => sleep(wait).await,
        // It is kept for as long as it may wait, so that whoever comes in masses does not do so faster for being turned away.
        None => {
            sleep(handshake_max).await;
            return Err(End::Pace);
        }
    }
    let begun = timeout(handshake_max, preface(socket)).await;
    if begun.unwrap_or(false) {
        Ok(())
    } else {
        Err(End::Handshake)
    }
}

/// Why a connection ended that nobody here has ended.
fn why_ended(ended: hyper::Result<()>) -> End {
    let Err(error) = ended else {
        return End::Left;
    };
    let cause = std::error::Error::source(&error);
    let cause = cause.and_then(<dyn std::error::Error>::downcast_ref::<h2::Error>);
    if error.is_timeout() {
        End::Keepalive
    } else if cause.is_some_and(h2::Error::is_library) {
        End::Protocol
    } else {
        End::Left
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

/// Waits until the connection should end, and says why: how long it may go on with the calls it has, or `None` when it is to be cut.
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
                return (End::Stalled, None);
            }
            if peer.calls() == 0 && peer.still() >= options.idle_max {
                return (End::Idle, Some(options.age_grace));
            }
        }
    };
    let (why, grace) = tokio::select! {
        // Whoever told it bounds the time.
        () = shutdown.cancelled() => (End::Drain, Some(Duration::MAX)),
        // Whoever cut it has said why.
        () = peer.cut.cancelled() => return None,
        () = sleep(age(options.age_max, peer.id())) => (End::Age, Some(options.age_grace)),
        end = watching => end,
    };
    peer.ends(why);
    grace
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

    #[tokio::test(start_paused = true)]
    async fn a_connection_begins_when_it_is_its_turn() {
        let second = Duration::from_secs(1);
        for (turn, preface, begun, after) in [
            (Some(Duration::ZERO), PREFACE, Ok(()), 0),
            (Some(3 * second), PREFACE, Ok(()), 3),
            (Some(3 * second), &PREFACE[..5], Err(End::Handshake), 8),
            (None, PREFACE, Err(End::Pace), 5),
        ] {
            let (mut peer, mut socket) = tokio::io::duplex(1_024);
            tokio::io::AsyncWriteExt::write_all(&mut peer, preface)
                .await
                .unwrap();
            let since = tokio::time::Instant::now();
            assert_eq!(begin(&mut socket, turn, 5 * second).await, begun);
            assert_eq!(since.elapsed().as_secs(), after, "{turn:?}");
        }
    }

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

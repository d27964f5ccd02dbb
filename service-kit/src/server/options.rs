//! The bounds of a server.
//!
//! Deliberately absent: their keys, which stand in [`keys`].

mod keys;

use std::time::Duration;

use super::connections::CALL_BYTES;
use crate::config::Findings;
use crate::deadline::DeadlineOptions;

/// The largest answer that clients of gRPC read unless they are told otherwise, in bytes.
pub const READ_BYTES_MAX: usize = 4 * 1_024 * 1_024;

/// What a peer may make the server hold, how long anything may take, and how the server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// How many connections there are at a time; for one more, the one that has been without a call for longest gives way. At least
    /// 1. Default 1,024.
    pub connections_max: usize,
    /// How many connections there are at a time from one address; 0, the default, for as many as in all. Behind a proxy all come from
    /// one.
    pub connections_per_address_max: usize,
    /// How many connections a second may begin from one address (of IPv6: the first 64 bits) once it has used its burst; earlier ones
    /// wait for their turn, and one whose turn does not come within `handshake_max` is turned away. 0 for no bound. Default 100.
    pub connections_per_address_per_second: u32,
    /// How many connections may begin from one address at once. Default 512.
    pub connections_per_address_burst: u32,
    /// How many connections more a connection counts for that had to be cut for what it did. Default 100, which is a second.
    pub cut_costs_connections: u32,
    /// How many calls a connection may have open at a time. Twice as many frames without use may come before the first answer.
    /// Default 128.
    pub concurrent_streams_max: u32,
    /// How large the headers of a call may be, in bytes. Default 16 KiB.
    pub header_bytes_max: u32,
    /// How many calls that the peer has cancelled may wait to be noticed; beyond, the connection is ended. Default 64.
    pub pending_reset_streams_max: usize,
    /// How many calls the server may have to cancel because of the peer's errors; beyond, the connection is ended. Default 1,024.
    pub local_reset_streams_max: usize,
    /// How many calls are under way at a time; one more is answered `UNAVAILABLE`, reason `OVERLOADED`. Streams that stay open are
    /// not counted once they have begun, health never. At least 1. Default 1,024.
    pub calls_max: usize,
    /// How many watches a connection may have open at a time; one more is answered as with `calls_max`, so that there is room
    /// for calls beside them. Default 64.
    pub watches_per_connection_max: usize,
    /// How many watches a caller may have open at a time, over all their connections; one more is answered as with `calls_max`. Fewer
    /// than there may be in all, so that one caller leaves room for others. Default 1,500.
    pub watches_per_caller_max: usize,
    /// How many streams of health and reflection are open at a time; one more is answered as with `calls_max`. At least 1. Default 256.
    pub tool_streams_max: usize,
    /// The largest message that is read, in bytes. The edge of a service applies it too, with `max_decoding_message_size`: only there is it
    /// known where a message begins. Default 1 MiB.
    pub message_bytes_max: usize,
    /// The largest message that is answered with, in bytes; the edge of a service applies it, with `max_encoding_message_size`. Default
    /// [`READ_BYTES_MAX`].
    pub answer_bytes_max: usize,
    /// How many bytes are held for all peers together: requests that have come in part, and answers that have not been taken, each
    /// with 16 KiB for its call. Beyond,
    /// the connection that holds most for longest is cut. Default 16 MiB, which is 1,024 calls.
    pub held_bytes_max: usize,
    /// How long a connection may take to begin. Default 5 s.
    pub handshake_max: Duration,
    /// How long calls may take.
    pub deadlines: DeadlineOptions,
    /// How long a stream of reflection may take. Default 1 min.
    pub reflection_max: Duration,
    /// How long the message of a call may take to come, where the caller's deadline is not earlier. Default 10 s.
    pub receive_max: Duration,
    /// How long a peer may take nothing of what waits for it, or send nothing of what it began; then its connection is cut. Default
    /// 20 s.
    pub stall_max: Duration,
    /// How long a connection may be without a call. Default 5 min.
    pub idle_max: Duration,
    /// How long a connection may last; up to a tenth less, so that not all end at once. Default 30 min.
    pub age_max: Duration,
    /// How long calls may go on after their connection was told to end. Default 10 s.
    pub age_grace: Duration,
    /// After how long without a sign a peer is asked for one. Default 1 min.
    pub keepalive_interval: Duration,
    /// After how long without an answer to that a connection is ended. Default 20 s.
    pub keepalive_timeout: Duration,
    /// How long calls may go on after the server was told to end. Default 10 s.
    pub drain: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            connections_per_address_max: 0,
            connections_per_address_per_second: 100,
            connections_per_address_burst: 512,
            cut_costs_connections: 100,
            concurrent_streams_max: 128,
            header_bytes_max: 16 * 1_024,
            pending_reset_streams_max: 64,
            local_reset_streams_max: 1_024,
            calls_max: 1_024,
            watches_per_connection_max: 64,
            watches_per_caller_max: 1_500,
            tool_streams_max: 256,
            message_bytes_max: 1_024 * 1_024,
            answer_bytes_max: READ_BYTES_MAX,
            held_bytes_max: 16 * 1_024 * 1_024,
            handshake_max: Duration::from_secs(5),
            deadlines: DeadlineOptions::default(),
            reflection_max: Duration::from_mins(1),
            receive_max: Duration::from_secs(10),
            stall_max: Duration::from_secs(20),
            idle_max: Duration::from_mins(5),
            age_max: Duration::from_mins(30),
            age_grace: Duration::from_secs(10),
            keepalive_interval: Duration::from_mins(1),
            keepalive_timeout: Duration::from_secs(20),
            drain: Duration::from_secs(10),
        }
    }
}

impl ServerOptions {
    /// What does not fit together, or should be known.
    pub fn check(&self, findings: &mut Findings) {
        if self.deadlines.default > self.deadlines.max {
            findings.wrong(
                &[
                    "server.deadline_default_millis",
                    "server.deadline_max_seconds",
                ],
                "must be at most server.deadline_max_seconds, which no call is granted more than",
            );
        }
        if self.answer_bytes_max > READ_BYTES_MAX {
            findings.risky(
                &["server.answer_bytes_max"],
                format!(
                    "clients refuse answers of more than {READ_BYTES_MAX} bytes, unless each of them is told otherwise"
                ),
            );
        }
        for (key, bytes) in [
            ("server.message_bytes_max", self.message_bytes_max),
            ("server.answer_bytes_max", self.answer_bytes_max),
        ] {
            if self.held_bytes_max < bytes.saturating_add(CALL_BYTES) {
                findings.risky(
                    &["server.held_bytes_max", key],
                    format!(
                        "of what may be held in all, {CALL_BYTES} bytes are for the call itself and the rest is less than {key}: whoever sends \
                         or is sent as much as that is cut"
                    ),
                );
            }
        }
    }
}

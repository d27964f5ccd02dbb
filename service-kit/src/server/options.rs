//! The bounds of a server.

use std::time::Duration;

use crate::config::{Key, Unit};

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
    /// How many bytes are held for all peers together: requests that have come in part, and answers that have not been taken, each
    /// with 16 KiB for its call. Beyond,
    /// the connection that holds most for longest is cut. Default 16 MiB, which is 1,024 calls.
    pub held_bytes_max: usize,
    /// How long a connection may take to begin. Default 5 s.
    pub handshake_max: Duration,
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
            held_bytes_max: 16 * 1_024 * 1_024,
            handshake_max: Duration::from_secs(5),
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
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        let mut keys = Self::connection_keys();
        keys.extend(Self::call_keys());
        keys.extend(Self::time_keys());
        keys
    }

    fn connection_keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "server.connections_max",
                "connections",
                1..=1_000_000,
                |o: &mut Self| &mut o.connections_max,
                "connections at a time; for one more, the one that has been without a call for longest gives way",
            ),
            Key::count(
                "server.connections_per_address_max",
                "connections",
                0..=1_000_000,
                |o: &mut Self| &mut o.connections_per_address_max,
                "connections at a time from one address, 0 for as many as in all; behind a proxy all come from one",
            ),
            Key::count(
                "server.connections_per_address_per_second",
                "connections",
                0..=1_000_000,
                |o: &mut Self| &mut o.connections_per_address_per_second,
                "connections that may begin in a second from one address after its burst, later ones wait; 0 for any; behind a proxy all come from one",
            ),
            Key::count(
                "server.connections_per_address_burst",
                "connections",
                1..=1_000_000,
                |o: &mut Self| &mut o.connections_per_address_burst,
                "connections that may begin from one address at once",
            ),
            Key::count(
                "server.cut_costs_connections",
                "connections",
                0..=1_000_000,
                |o: &mut Self| &mut o.cut_costs_connections,
                "connections that one counts for in this which was cut for what it did",
            ),
        ]
    }

    fn call_keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "server.concurrent_streams_max",
                "calls",
                1..=1_000_000,
                |o: &mut Self| &mut o.concurrent_streams_max,
                "calls that a connection may have open at a time",
            ),
            Key::count(
                "server.header_bytes_max",
                "bytes",
                1_024..=1_048_576,
                |o: &mut Self| &mut o.header_bytes_max,
                "size of the headers of a call",
            ),
            Key::count(
                "server.pending_reset_streams_max",
                "calls",
                1..=1_000_000,
                |o: &mut Self| &mut o.pending_reset_streams_max,
                "calls cancelled by the peer that may wait to be noticed; beyond, the connection is ended",
            ),
            Key::count(
                "server.local_reset_streams_max",
                "calls",
                1..=1_000_000,
                |o: &mut Self| &mut o.local_reset_streams_max,
                "calls that the peer's errors may make the server cancel; beyond, the connection is ended",
            ),
            Key::count(
                "server.calls_max",
                "calls",
                1..=1_000_000,
                |o: &mut Self| &mut o.calls_max,
                "calls under way at a time; one more is refused as `OVERLOADED` before its message is read",
            ),
            Key::count(
                "server.watches_per_connection_max",
                "streams",
                1..=1_000_000,
                |o: &mut Self| &mut o.watches_per_connection_max,
                "watches that a connection may have open at a time; one more is refused as `OVERLOADED`",
            ),
            Key::count(
                "server.watches_per_caller_max",
                "streams",
                1..=1_000_000,
                |o: &mut Self| &mut o.watches_per_caller_max,
                "watches that a caller may have open at a time; one more is refused as `OVERLOADED`",
            ),
            Key::count(
                "server.held_bytes_max",
                "bytes",
                1_048_576..=1_099_511_627_776,
                |o: &mut Self| &mut o.held_bytes_max,
                "what peers have sent in part or not yet taken, all together; beyond, the connection that holds most for longest is cut",
            ),
        ]
    }

    fn time_keys() -> Vec<Key<Self>> {
        vec![
            Key::span(
                "server.handshake_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.handshake_max,
                "time in which a connection must have begun",
            ),
            Key::span(
                "server.receive_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.receive_max,
                "time in which the message of a call must have come",
            ),
            Key::span(
                "server.stall_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.stall_max,
                "time for which a peer may leave lying what waits for it; then its connection is cut",
            ),
            Key::span(
                "server.idle_seconds",
                Unit::Seconds,
                1..=2_592_000,
                |o: &mut Self| &mut o.idle_max,
                "time that a connection may be without a call",
            ),
            Key::span(
                "server.age_seconds",
                Unit::Seconds,
                1..=2_592_000,
                |o: &mut Self| &mut o.age_max,
                "time that a connection may last, up to a tenth less; its calls may end, its streams are resumed on another",
            ),
            Key::span(
                "server.age_grace_seconds",
                Unit::Seconds,
                0..=3_600,
                |o: &mut Self| &mut o.age_grace,
                "time for which calls may go on after their connection was told to end",
            ),
            Key::span(
                "server.keepalive_interval_seconds",
                Unit::Seconds,
                1..=86_400,
                |o: &mut Self| &mut o.keepalive_interval,
                "time without a sign after which a peer is asked for one",
            ),
            Key::span(
                "server.keepalive_timeout_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.keepalive_timeout,
                "time without an answer to that after which the connection is ended",
            ),
            Key::span(
                "server.drain_seconds",
                Unit::Seconds,
                0..=3_600,
                |o: &mut Self| &mut o.drain,
                "time for which calls may go on after the server was told to end; then they are cut",
            ),
        ]
    }
}

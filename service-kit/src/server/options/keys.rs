//! The keys of a server's bounds.

use super::ServerOptions;
use crate::config::{Key, Unit};
use crate::deadline::LONGEST;

impl ServerOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        let mut keys = Self::connection_keys();
        keys.extend(Self::call_keys());
        keys.extend(Self::size_keys());
        keys.extend(Self::call_time_keys());
        keys.extend(Self::connection_time_keys());
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
                "server.tool_streams_max",
                "streams",
                1..=1_000_000,
                |o: &mut Self| &mut o.tool_streams_max,
                "streams of health and reflection that may be open at a time; one more is refused as `OVERLOADED`",
            ),
        ]
    }

    fn size_keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "server.header_bytes_max",
                "bytes",
                1_024..=1_048_576,
                |o: &mut Self| &mut o.header_bytes_max,
                "size of the headers of a call",
            ),
            // The least is enough for a send with the longest note that can be configured, the most for whatever fits what may be held.
            Key::count(
                "server.message_bytes_max",
                "bytes",
                16_384..=67_108_864,
                |o: &mut Self| &mut o.message_bytes_max,
                "size of the message of a call; a larger one is refused with `OUT_OF_RANGE`",
            ),
            Key::count(
                "server.answer_bytes_max",
                "bytes",
                16_384..=67_108_864,
                |o: &mut Self| &mut o.answer_bytes_max,
                "size of an answer; where it would be larger, the call fails with `OUT_OF_RANGE`",
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

    fn call_time_keys() -> Vec<Key<Self>> {
        vec![
            Key::span(
                "server.deadline_default_millis",
                Unit::Millis,
                1..=3_600_000,
                |o: &mut Self| &mut o.deadlines.default,
                "time that a call has whose caller sets no deadline",
            ),
            Key::span(
                "server.deadline_max_seconds",
                Unit::Seconds,
                1..=LONGEST.as_secs(),
                |o: &mut Self| &mut o.deadlines.max,
                "longest time that a call is granted, whatever its caller asks for",
            ),
            Key::span(
                "server.reflection_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.reflection_max,
                "time that a stream of reflection may take",
            ),
            Key::span(
                "server.receive_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.receive_max,
                "time in which the message of a call must have come",
            ),
        ]
    }

    fn connection_time_keys() -> Vec<Key<Self>> {
        vec![
            Key::span(
                "server.handshake_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.handshake_max,
                "time in which a connection must have begun",
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

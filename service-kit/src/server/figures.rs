//! Why connections end, and the figures of connections.
//!
//! Deliberately absent: addresses and callers. A figure says how often a cause occurred, not to whom.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Why a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The peer left.
    Left,
    /// It had done nothing for as long as a connection may.
    Idle,
    /// It had lasted for as long as a connection may.
    Age,
    /// The server is told to end.
    Drain,
    /// Another needed its place.
    Displaced,
    /// There was no place for it.
    Full,
    /// Too many came from its address.
    Pace,
    /// It did not begin in time, or not as HTTP/2 does.
    Handshake,
    /// It gave no sign when asked for one.
    Keepalive,
    /// It took nothing of what waited for it.
    Stalled,
    /// It broke the rules of HTTP/2, or wore out its bounds.
    Protocol,
    /// It sent too much that was of no use.
    Frames,
    /// It made the server hold too much.
    Held,
}

impl End {
    const ALL: [Self; 13] = [
        Self::Left,
        Self::Idle,
        Self::Age,
        Self::Drain,
        Self::Displaced,
        Self::Full,
        Self::Pace,
        Self::Handshake,
        Self::Keepalive,
        Self::Stalled,
        Self::Protocol,
        Self::Frames,
        Self::Held,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Idle => "idle",
            Self::Age => "age",
            Self::Drain => "drain",
            Self::Displaced => "displaced",
            Self::Full => "full",
            Self::Pace => "pace",
            Self::Handshake => "handshake",
            Self::Keepalive => "keepalive",
            Self::Stalled => "stalled",
            Self::Protocol => "protocol",
            Self::Frames => "frames",
            Self::Held => "held",
        }
    }

    /// Whether no client that means well is ended so: its address pays for it.
    pub(super) const fn is_hostile(self) -> bool {
        matches!(self, Self::Protocol | Self::Frames | Self::Held)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    cause: &'static str,
}

impl EndLabels {
    fn of(end: End) -> Self {
        Self { cause: end.name() }
    }
}

/// The figures of connections. Clones are the same.
#[derive(Clone, Debug)]
pub struct ConnectionMetrics {
    pub(super) open: Gauge,
    pub(super) delayed: Counter,
    ended: Family<EndLabels, Counter>,
}

impl Default for ConnectionMetrics {
    fn default() -> Self {
        let ended: Family<EndLabels, Counter> = Family::default();
        for end in End::ALL {
            // Shown before the first one ends so.
            drop(ended.get_or_create(&EndLabels::of(end)));
        }
        Self {
            open: Gauge::default(),
            delayed: Counter::default(),
            ended,
        }
    }
}

impl ConnectionMetrics {
    /// Adds the figures to what is scraped.
    pub fn register(&self, registry: &mut Registry) {
        let open = "Connections of peers that are open";
        registry.register("connections_open", open, self.open.clone());
        let delayed = "Connections that had to wait before they could begin, because many came from their address";
        registry.register("connections_delayed", delayed, self.delayed.clone());
        let ended = "Connections that have ended, by cause";
        registry.register("connections_ended", ended, self.ended.clone());
    }

    /// Counts a connection that has ended.
    pub(super) fn ended(&self, end: End) {
        self.ended.get_or_create(&EndLabels::of(end)).inc();
    }

    /// How many have ended so.
    #[cfg(test)]
    pub(super) fn count(&self, end: End) -> u64 {
        self.ended.get_or_create(&EndLabels::of(end)).get()
    }
}

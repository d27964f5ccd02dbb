//! What is shown of the network in memory.
//!
//! Deliberately absent: figures of single members.

use prometheus_client::registry::Registry;
use service_kit::metrics::register_read;
use tokio::sync::watch;

use super::memory::{Memory, State};
use super::network::Network;

impl Memory {
    /// Hands in the figures; `head` is the last position of the feed.
    pub fn register(&self, registry: &mut Registry, head: watch::Receiver<u64>) {
        let state = self.state();
        let is = move |wanted: fn(&State) -> bool| {
            let state = state.clone();
            move || Some(if wanted(&state.borrow()) { 1.0 } else { 0.0 })
        };
        let built = "Whether the index of connections is built: 1, or 0 while the store answers";
        register_read(
            registry,
            "graph_built",
            built,
            is(|state| matches!(state, State::Following(_))),
        );
        let given_up = "Whether the index of connections was given up, or is not wanted";
        register_read(
            registry,
            "graph_given_up",
            given_up,
            is(|state| *state == State::GivenUp),
        );
        let lag = "Positions of the feed that the index of connections does not know yet";
        let state = self.state();
        register_read(registry, "graph_lag_positions", lag, move || {
            let known = match *state.borrow() {
                State::Following(position) => position,
                State::Building | State::GivenUp => 0,
            };
            Some(number(
                usize::try_from(head.borrow().saturating_sub(known)).ok()?,
            ))
        });
        self.register_size(
            registry,
            "graph_members",
            "Members in the index of connections",
            |network| network.size().members,
        );
        let directions = "Connections and blocks in the index, each counted from both of its sides";
        self.register_size(registry, "graph_directions", directions, |network| {
            network.size().directions
        });
        let bytes = "Bytes that the index of connections takes, without what the allocator adds";
        self.register_size(registry, "graph_bytes", bytes, |network| {
            network.size().bytes
        });
        let views = "Members whose second degree is kept";
        self.register_size(registry, "graph_views", views, |network| {
            network.views_size().0
        });
        let views = "Bytes that the second degrees take that are kept";
        self.register_size(registry, "graph_views_bytes", views, |network| {
            network.views_size().1
        });
    }

    /// A figure of the index, 0 where there is none.
    fn register_size(
        &self,
        registry: &mut Registry,
        name: &'static str,
        help: &'static str,
        size: fn(&Network) -> usize,
    ) {
        let memory = self.clone();
        register_read(registry, name, help, move || {
            Some(number(memory.read().as_ref().map_or(0, size)))
        });
    }
}

/// Sizes are far below 2⁵³.
#[allow(clippy::cast_precision_loss, reason = "as said")]
fn number(size: usize) -> f64 {
    size as f64
}

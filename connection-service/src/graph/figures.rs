//! What is shown of the network in memory.
//!
//! Deliberately absent: figures of single members.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use service_kit::metrics::register_read;
use tokio::sync::watch;

use super::memory::{Memory, State};
use super::network::Network;

/// Why an index is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// The service has started.
    Start,
    /// What came next in the feed was not kept any more.
    Lost,
    /// Whatever kept the one before has panicked.
    Panicked,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuildLabels {
    cause: &'static str,
}

impl From<Cause> for BuildLabels {
    fn from(cause: Cause) -> Self {
        let cause = match cause {
            Cause::Start => "start",
            Cause::Lost => "lost",
            Cause::Panicked => "panicked",
        };
        Self { cause }
    }
}

/// How often an index was built, by why. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Builds(Family<BuildLabels, Counter>);

impl Builds {
    /// None yet.
    pub(super) fn new() -> Self {
        let counts = Family::<BuildLabels, Counter>::default();
        // There from the beginning, so that the first is seen to be one more than none.
        for cause in [Cause::Start, Cause::Lost, Cause::Panicked] {
            counts.get_or_create_owned(&cause.into());
        }
        Self(counts)
    }

    /// One more.
    pub(super) fn count(&self, cause: Cause) {
        self.0.get_or_create(&cause.into()).inc();
    }
}

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
        let builds = "How often the index of connections began to be built, by why";
        registry.register("graph_builds", builds, self.builds().0.clone());
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

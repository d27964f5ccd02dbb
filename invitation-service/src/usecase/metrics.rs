//! What is counted beside requests: what the limiter says, whether connection-service was asked in time, and the worker's work.
//!
//! Deliberately absent: requests themselves (every one is counted where it arrives), and anything about one member.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use service_kit::metrics::work::WorkMetrics;

use crate::limiter::Reservation;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// What is counted. Clones are the same.
#[derive(Clone, Debug)]
pub struct UsecaseMetrics {
    /// The worker's work.
    pub work: WorkMetrics,
    reservations: Family<OutcomeLabels, Counter>,
    taken: Counter,
    full: Counter,
    unknown: Counter,
    away: Counter,
    asks: Family<OutcomeLabels, Counter>,
    answered: Counter,
    unanswered: Counter,
}

impl UsecaseMetrics {
    /// Nothing counted yet; `work` has the figures of the worker.
    pub fn new(work: WorkMetrics) -> Self {
        let (reservations, asks) = (Family::default(), Family::default());
        let of = |family: &Family<OutcomeLabels, Counter>, outcome| {
            family.get_or_create_owned(&OutcomeLabels { outcome })
        };
        Self {
            work,
            taken: of(&reservations, "taken"),
            full: of(&reservations, "full"),
            unknown: of(&reservations, "unknown"),
            away: of(&reservations, "away"),
            answered: of(&asks, "answered"),
            unanswered: of(&asks, "unanswered"),
            reservations,
            asks,
        }
    }

    /// Adds the figures to what is scraped.
    pub fn register(&self, registry: &mut Registry) {
        let reservations = "What the limiter said when a place under the weekly cap was asked for";
        registry.register(
            "limiter_reservations",
            reservations,
            self.reservations.clone(),
        );
        let asks = "Sends by whether connection-service said in time what holds between the two";
        registry.register("asks", asks, self.asks.clone());
    }

    /// Counts what the limiter said.
    pub fn reserved(&self, reservation: Reservation) {
        let counter = match reservation {
            Reservation::Taken(_) => &self.taken,
            Reservation::Full => &self.full,
            Reservation::Unknown => &self.unknown,
            Reservation::Away => &self.away,
        };
        counter.inc();
    }

    /// Counts a question to connection-service.
    pub fn asked(&self, answered: bool) {
        let counter = if answered {
            &self.answered
        } else {
            &self.unanswered
        };
        counter.inc();
    }
}

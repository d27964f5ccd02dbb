//! How often members' standings change, by the kind of change.
//!
//! Deliberately absent: of whom.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

use crate::domain::standing::{Flag, News};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    change: &'static str,
}

/// What is counted. Clones are the same.
#[derive(Clone, Debug)]
pub(in crate::store) struct StandingMetrics(Family<Labels, Counter>);

impl StandingMetrics {
    /// Nothing counted yet.
    pub(in crate::store) fn new() -> Self {
        let changes = Self(Family::default());
        let levels = [News::Normal, News::Trusted, News::Limited, News::Strike];
        for news in levels.into_iter().chain(Flag::ALL.map(News::Flagged)) {
            drop(changes.counter(news));
        }
        changes
    }

    /// Adds the figures to what is scraped.
    pub(in crate::store) fn register(&self, registry: &mut Registry) {
        let help = "Changes of members' standings: what they have become, strikes, flags that have come up";
        registry.register("standing_changes", help, self.0.clone());
    }

    /// Counts a change that was committed.
    pub(in crate::store) fn note(&self, news: News) {
        self.counter(news).inc();
    }

    fn counter(&self, news: News) -> Counter {
        let change = match news {
            News::Normal => "normal",
            News::Trusted => "trusted",
            News::Limited => "limited",
            News::Strike => "strike",
            News::Flagged(Flag::LowAcceptance) => "low_acceptance",
            News::Flagged(Flag::WithdrawalChurn) => "withdrawal_churn",
            News::Flagged(Flag::SameNote) => "same_note",
            News::Flagged(Flag::TooManyUnanswered) => "too_many_unanswered",
        };
        self.0.get_or_create_owned(&Labels { change })
    }
}

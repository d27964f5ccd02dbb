//! Broken services: each variant has one mistake that somebody could make, as an implementation of a trait of the real ones.
//!
//! They prove that the checks catch what they should. Deliberately absent: mistakes in the rules themselves; for these there are the
//! models and the protocol's search.

mod asking;
mod connections;
mod invitations;
mod limiter;

use std::sync::Arc;

use invitation_service::{Policy, limiter::Limiter};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// Withdrawals and preferences are answered before they are committed.
    AnswersBeforeCommit,
    /// Request ids are not remembered.
    ForgetsRequests,
    /// Acceptances that nobody saw through are not found again.
    LosesAcceptances,
    /// Some facts of the feed are not folded, though the cursor moves past them.
    SkipsFacts,
    /// Some of what became of a member's lists is not told to watchers.
    WithholdsEvents,
    /// A withdrawal that meets an acceptance under way is answered as done.
    WithdrawsAnyway,
    /// What connection-service said of a pair once is taken for what it says now.
    StaleAnswers,
    /// No answer from connection-service is taken for a no.
    SilenceIsNo,
    /// No answer from connection-service is taken for a yes.
    SilenceIsYes,
    /// The store does not hold the weekly cap, for the limiter stands in front of it.
    LimiterDecides,
    /// The limiter says too early that no place is left, and nobody checks.
    LimiterRefuses,
    /// An acceptance that is asked about again is decided again.
    DecidesAnew,
    /// Lifting a block brings the connection back that it ended.
    UnblockRestores,
    /// A block is answered before it is committed.
    BlocksLater,
    /// The feed leaves facts out.
    FeedSkips,
    /// Some of what became of a member's connections is not told to watchers.
    ConnectionsWithheld,
    /// A removal where nothing is yet leaves no mark.
    RemovalsForgotten,
    /// An import is answered before it is committed.
    ImportsLater,
    /// A label that is deleted stays.
    LabelsStay,
    /// A dismissal is answered, and not stored.
    DismissalsForgotten,
}

impl Variant {
    /// All, with their names.
    pub const ALL: [(&'static str, Self); 20] = [
        ("answers-before-commit", Self::AnswersBeforeCommit),
        ("forgets-requests", Self::ForgetsRequests),
        ("loses-acceptances", Self::LosesAcceptances),
        ("skips-facts", Self::SkipsFacts),
        ("withholds-events", Self::WithholdsEvents),
        ("withdraws-anyway", Self::WithdrawsAnyway),
        ("stale-answers", Self::StaleAnswers),
        ("silence-is-no", Self::SilenceIsNo),
        ("silence-is-yes", Self::SilenceIsYes),
        ("limiter-decides", Self::LimiterDecides),
        ("limiter-refuses", Self::LimiterRefuses),
        ("decides-anew", Self::DecidesAnew),
        ("unblock-restores", Self::UnblockRestores),
        ("blocks-later", Self::BlocksLater),
        ("feed-skips", Self::FeedSkips),
        ("connections-withheld", Self::ConnectionsWithheld),
        ("removals-forgotten", Self::RemovalsForgotten),
        ("imports-later", Self::ImportsLater),
        ("labels-stay", Self::LabelsStay),
        ("dismissals-forgotten", Self::DismissalsForgotten),
    ];

    /// The variant of a name.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, variant)| *variant)
    }

    /// The policy that the store goes by.
    pub(super) fn bend_policy(variant: Option<Self>, policy: Policy) -> Policy {
        if variant == Some(Self::LimiterDecides) {
            let weekly_cap = u32::MAX;
            return Policy {
                weekly_cap,
                ..policy
            };
        }
        policy
    }

    /// The store of invitation-service.
    pub(super) fn bend_invitations(
        variant: Option<Self>,
        store: Arc<dyn invitation_service::store::Store>,
    ) -> Arc<dyn invitation_service::store::Store> {
        match variant {
            Some(variant) => Arc::new(invitations::Bent::new(store, variant)),
            None => store,
        }
    }

    /// The store of connection-service.
    pub(super) fn bend_connections(
        variant: Option<Self>,
        store: Arc<dyn connection_service::store::Store>,
    ) -> Arc<dyn connection_service::store::Store> {
        match variant {
            Some(variant) => Arc::new(connections::Bent::new(store, variant)),
            None => store,
        }
    }

    /// The limiter.
    pub(super) fn bend_limiter(
        variant: Option<Self>,
        limiter: Arc<dyn Limiter>,
    ) -> Arc<dyn Limiter> {
        match variant {
            Some(Self::LimiterRefuses) => Arc::new(limiter::Stingy(limiter)),
            _ => limiter,
        }
    }

    /// How connection-service is asked.
    pub(super) fn bend_asking(
        variant: Option<Self>,
        connections: Arc<dyn invitation_service::connections::Connections>,
    ) -> Arc<dyn invitation_service::connections::Connections> {
        match variant {
            Some(variant) => Arc::new(asking::Bent::new(connections, variant)),
            None => connections,
        }
    }
}

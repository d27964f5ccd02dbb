//! What the service does, one file for each method or group of methods of one kind.
//!
//! A use case gathers what a decision needs, hands it to the store, and acts on the outcome. Deliberately absent: the wire (it is given
//! parsed values and answers with values) and rules.

pub mod accept_invitation;
pub mod act;
pub mod batch;
pub mod end_invitation;
pub mod export_member;
pub mod finish_acceptance;
mod metrics;
pub mod send_invitation;
pub mod watch_invitations;

pub use metrics::UsecaseMetrics;

use std::sync::Arc;

use moka::sync::Cache;
use service_kit::{
    clock::Clock,
    error::StoreError,
    fields::BatchOptions,
    id::MemberId,
    time::Time,
    trace::Tracer,
    watch::{WatchEnd, Watches},
};

use crate::{
    connections::{Connections, follow::Followed},
    domain::{policy::Policy, refusal::Refusal},
    limiter::Limiter,
    store::Store,
};

/// Why a call was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A rule says no.
    #[error("refused")]
    Refused(Refusal),
    /// The store could not do its part.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// connection-service's verdict is needed and cannot be had now.
    #[error("connection-service is away")]
    ConnectionsAway,
    /// A stream does not begin or go on.
    #[error(transparent)]
    Watch(#[from] WatchEnd),
    /// A page or resume token is of another query, or was not issued here.
    #[error("the token is of another query")]
    InvalidToken,
    /// Events after the resume token are no longer kept.
    #[error("the token is too old")]
    TokenTooOld,
    /// The resume token is of another history of the store.
    #[error("the token is of another history")]
    OtherIncarnation,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// What every use case works with.
pub struct Context {
    /// Where invitations are kept.
    pub store: Arc<dyn Store>,
    /// connection-service.
    pub connections: Arc<dyn Connections>,
    /// How far its feed has been followed.
    pub followed: Followed,
    /// The weekly cap in front of the store.
    pub limiter: Arc<dyn Limiter>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where streams are started.
    pub watches: Watches,
    /// What begins spans.
    pub tracer: Tracer,
    /// What is counted of the calls and the worker.
    pub metrics: UsecaseMetrics,
    /// Members whom the store has confirmed to have no place left, with when the next is free.
    pub without_place: Cache<MemberId, Time>,
    /// The numbers of the rules.
    pub policy: Policy,
    /// How much one batch is.
    pub batches: BatchOptions,
}

/// How many members are remembered to have no place left.
pub const WITHOUT_PLACE_MAX: u64 = 100_000;

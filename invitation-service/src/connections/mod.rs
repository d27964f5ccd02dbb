//! connection-service, as this service needs it.
//!
//! Deliberately absent: what its answers mean for an invitation (`domain/`).

mod ask;
mod convert;
pub mod follow;
mod metrics;
mod remote;

pub use ask::{AskOptions, PAIRS_OF_A_CALL};
pub use remote::{RemoteConnections, RemoteOptions, channel};

use async_trait::async_trait;
use service_kit::{deadline::Deadline, epoch::EpochId, id::PairKey};

use crate::{
    domain::accept::Ruling,
    store::command::{AwaitedVerdict, send::Told},
};

/// What this service asks of connection-service.
#[async_trait]
pub trait Connections: Send + Sync + 'static {
    /// What holds between two members; `None` when no answer comes at once: then the copy speaks.
    async fn ask(&self, key: PairKey) -> Option<Told>;
    /// The verdict on an acceptance, with the history that its position belongs to. Asked again, the same verdict is given.
    async fn ensure(
        &self,
        awaited: &AwaitedVerdict,
        deadline: Deadline,
    ) -> Result<(EpochId, Ruling), Away>;
}

/// connection-service gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("connection-service gave no answer")]
pub struct Away;

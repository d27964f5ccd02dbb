//! Seeing an acceptance through: connection-service's verdict, applied.
//!
//! Callers do it within their deadline, workers for whatever is left; twice is harmless. Deliberately absent: what the verdict does
//! (`domain/accept.rs`).

use std::time::Duration;

use service_kit::{crash, deadline::Deadline, error::StoreError, id::PairKey};

use super::Context;
use crate::{
    connections::follow::wait_for_epoch, domain::accept::Ruled, store::command::AwaitedVerdict,
};

/// How long a verdict of a history that is not followed yet (connection-service has just restarted) waits for the feed.
const EPOCH_WAIT_MAX: Duration = Duration::from_secs(1);

/// Asks for the verdict and applies it; `None` when it cannot be had now, and the acceptance stays to be seen through later.
pub async fn run(
    context: &Context,
    awaited: &AwaitedVerdict,
    deadline: Deadline,
) -> Result<Option<Ruled>, StoreError> {
    crash::point("verdict.asking");
    let Ok((epoch, ruling)) = context.connections.ensure(awaited, deadline).await else {
        return Ok(None);
    };
    crash::point("verdict.received");
    let key = PairKey::new(&awaited.inviter, &awaited.invitee)
        .ok_or_else(|| StoreError::corrupt("an acceptance of one's own invitation"))?;
    let ruled = context
        .store
        .rule(key.clone(), epoch, ruling.clone())
        .await?;
    crash::point("verdict.committed");
    if ruled.is_some() {
        return Ok(ruled);
    }
    let wait = EPOCH_WAIT_MAX.min(deadline.remaining() / 2);
    if !wait_for_epoch(&mut context.followed.clone(), epoch, wait).await {
        return Ok(None);
    }
    context.store.rule(key, epoch, ruling).await
}

//! `EnsureConnection`: decides what becomes of an acceptance.
//!
//! Deliberately absent: waiting for an acknowledgement; the caller is the one who acknowledges.

use service_kit::crash;
use service_kit::id::PairKey;

use super::{Context, Failure};
use crate::domain::ensure::Acceptance;
use crate::store::Ensured;

/// The verdict for `acceptance` between the two of `key`, and what holds between them now.
pub async fn run(
    context: &Context,
    key: PairKey,
    acceptance: Acceptance,
) -> Result<Ensured, Failure> {
    let ensured = context.store.ensure_connection(key, acceptance).await?;
    crash::point("ensure.committed");
    Ok(ensured)
}

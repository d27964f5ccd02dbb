//! `ListFacts`: every pair with a connection or a block, for a copy that is built anew.
//!
//! Deliberately absent: one snapshot for all pages. Each page names its position, and the feed tells what came after the first.

use service_kit::id::PairKey;

use super::{Context, Failure};
use crate::store::FactsPage;

/// The page after `after`, for which at most `limit` pairs are looked at.
pub async fn run(
    context: &Context,
    after: Option<PairKey>,
    limit: u32,
) -> Result<FactsPage, Failure> {
    Ok(context.store.all_facts(after, limit).await?)
}

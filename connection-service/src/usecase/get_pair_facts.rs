//! `BatchGetPairFacts`: what holds between many pairs, at one moment.
//!
//! Deliberately absent: a cache. What is between two members is always read from the store.

use service_kit::id::PairKey;

use super::{Context, Failure};
use crate::store::FactsPage;

/// The facts of `keys`, in their order.
pub async fn run(context: &Context, keys: Vec<PairKey>) -> Result<FactsPage, Failure> {
    Ok(context.store.pair_facts(keys).await?)
}

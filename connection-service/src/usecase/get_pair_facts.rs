//! `BatchGetPairFacts`: what holds between many pairs, at one moment, and whether the two of each have a connection in common.
//!
//! Deliberately absent: a cache of facts. What is between two members is always read from the store.

use service_kit::id::PairKey;

use super::{Context, Failure, network};
use crate::store::FactsPage;

/// How many rows the store reads to say which of the pairs have a connection in common, where memory does not know: sends wait for it.
const ROWS_MAX: u32 = 10_000;

/// The facts of `keys`, in their order, and whether the two of each have a connection in common; `None` where that cannot be had now.
pub async fn run(
    context: &Context,
    keys: Vec<PairKey>,
) -> Result<(FactsPage, Vec<Option<bool>>), Failure> {
    let mutual = have_mutual(context, keys.clone()).await?;
    Ok((context.store.pair_facts(keys).await?, mutual))
}

async fn have_mutual(context: &Context, keys: Vec<PairKey>) -> Result<Vec<Option<bool>>, Failure> {
    let asked = keys.clone();
    let question = move |network: &crate::graph::network::Network, steps| {
        let share = steps / asked.len().max(1);
        let each = asked
            .iter()
            .map(|key| network.have_mutual(key.low(), key.high(), share).map(Some));
        each.collect()
    };
    if let Some(found) = context
        .memory
        .ask(network::position(context).await?, question)
        .await
    {
        return Ok(found);
    }
    let rows_max = context.memory.options().store_rows_max.min(ROWS_MAX);
    network::search(context, context.store.have_mutual(keys, rows_max)).await
}

//! `ListMutualConnections`: the connections that two members have in common, by id.
//!
//! Deliberately absent: tokens; a page begins after a member.

use service_kit::id::{MemberId, PairKey};

use super::{Context, Failure, network};
use crate::domain::network::MutualPage;
use crate::domain::refusal::Refusal;

/// The page after `after`, of at most `limit` members. Refuses with [`Refusal::SelfReference`].
pub async fn run(
    context: &Context,
    member: &MemberId,
    other: &MemberId,
    after: Option<MemberId>,
    limit: u32,
) -> Result<MutualPage, Failure> {
    let Some(key) = PairKey::new(member, other) else {
        return Err(Refusal::SelfReference.into());
    };
    let (pair, from) = (key.clone(), after.clone());
    let question = move |network: &crate::graph::network::Network, steps| {
        network.mutual_page(
            pair.low(),
            pair.high(),
            from.as_ref(),
            limit as usize,
            steps,
        )
    };
    if let Some(page) = context
        .memory
        .ask(network::position(context).await?, question)
        .await
    {
        return Ok(page);
    }
    let rows_max = context.memory.options().store_rows_max;
    let page = context
        .store
        .mutual_connections(key, after, limit, rows_max);
    network::search(context, page)
        .await?
        .ok_or_else(network::unknown)
}

//! `SuggestConnections`: whom a member may know, those with most connections in common first.
//!
//! Deliberately absent: tokens; a page begins after a suggestion.

use service_kit::id::MemberId;

use super::{Context, Failure, network};
use crate::domain::network::{Suggested, SuggestionPage};

/// The page after `after`, of at most `limit` suggestions.
pub async fn run(
    context: &Context,
    member: MemberId,
    after: Option<Suggested>,
    limit: u32,
) -> Result<SuggestionPage, Failure> {
    let position = network::position(context).await?;
    let dismissed = context.store.dismissals(member.clone()).await?;
    let (asking, from) = (member.clone(), after.clone());
    let question = move |network: &crate::graph::network::Network, steps| {
        network.suggestions(&asking, &dismissed, from.as_ref(), limit as usize, steps)
    };
    let answer = context
        .memory
        .ask_around(position, member.clone(), question);
    if let Some(page) = answer.await {
        return Ok(page);
    }
    let rows_max = context.memory.options().store_rows_max;
    let page = context.store.suggestions(member, after, limit, rows_max);
    network::search(context, page)
        .await?
        .ok_or_else(network::unknown)
}

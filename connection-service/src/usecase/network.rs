//! Where answers about the network around a member come from: from memory, or, where it cannot give them, from a search of the store.
//!
//! Deliberately absent: the answers (see `graph` and `store`, which agree).

use service_kit::error::StoreError;
use service_kit::id::MemberId;

use super::{Context, Failure};
use crate::domain::network::Between;

/// The position that an answer must not be older than: that of the last commit. Whoever was answered before sees what they did, whichever
/// process answered.
pub(super) async fn position(context: &Context) -> Result<u64, StoreError> {
    context.store.head().await
}

/// The outcome of a search of the store, few of which are under way at a time.
pub(super) async fn search<T>(
    context: &Context,
    search: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, Failure> {
    let place = context.searches.acquire().await;
    let _place = place.map_err(|_| StoreError::unavailable("the service is closing"))?;
    Ok(search.await?)
}

/// What there is between a member and each of `others`; `None` when it cannot be had now.
pub(super) async fn between(
    context: &Context,
    member: &MemberId,
    others: &[MemberId],
    with_mutual_counts: bool,
) -> Result<Option<Vec<Between>>, Failure> {
    let (asking, asked) = (member.clone(), others.to_vec());
    let question = move |network: &crate::graph::network::Network, steps| {
        network.between(&asking, &asked, with_mutual_counts, steps)
    };
    let answer = context
        .memory
        .ask_around(position(context).await?, member.clone(), question);
    if let Some(found) = answer.await {
        return Ok(Some(found));
    }
    let (asked, rows_max) = (others.to_vec(), context.memory.options().store_rows_max);
    let found = context
        .store
        .between(member.clone(), asked, with_mutual_counts, rows_max);
    search(context, found).await
}

/// Why there is no answer.
pub(super) fn unknown() -> Failure {
    StoreError::unavailable(
        "the index of connections is not there, and the store would have to read too much",
    )
    .into()
}

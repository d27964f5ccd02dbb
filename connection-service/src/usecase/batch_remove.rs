//! `BatchRemoveConnections`: named or selected connections, a result for each.
//!
//! Each item is a command of its own; those of one batch share the store's commits. Deliberately absent: all-or-nothing.

use futures::future::join_all;
use service_kit::fields::BatchOptions;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::{Context, Failure, remove_connection};
use crate::domain::connection_list::Filter;
use crate::domain::refusal::Refusal;
use crate::store::Relationship;

/// Which connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those with these members.
    Named(Vec<MemberId>),
    /// The oldest of those that match.
    Selected(Filter),
}

/// What became of a batch.
#[derive(Debug)]
pub struct Done {
    /// In the order named, or the oldest first: with whom, and since when the connection was that ended, if there was one.
    pub results: Vec<(MemberId, Result<Option<Time>, Failure>)>,
    /// How many were named, or matched before the call, as far as they are counted.
    pub matched: u32,
    /// How many matched beyond those that this call has taken.
    pub remaining: u32,
}

/// Ends many connections of a member, or says what would be done.
pub async fn run(
    context: &Context,
    member: &MemberId,
    which: Which,
    dry_run: bool,
    options: BatchOptions,
) -> Result<Done, Failure> {
    // With the moment at which it was made where the connection was found, so that a new one is left alone.
    let (items, matched): (Vec<(MemberId, Option<Time>)>, u32) = match which {
        Which::Named(others) => {
            let matched = u32::try_from(others.len()).unwrap_or(u32::MAX);
            (
                others.into_iter().map(|other| (other, None)).collect(),
                matched,
            )
        }
        Which::Selected(filter) => {
            let limit = u32::try_from(options.items_max).unwrap_or(u32::MAX);
            let count_max = u32::try_from(options.matched_max).unwrap_or(u32::MAX);
            let store = &context.store;
            let selected = store
                .select_connections(member.clone(), filter, limit, count_max)
                .await?;
            let lines = selected.lines.into_iter();
            (
                lines.map(|line| (line.other, Some(line.time))).collect(),
                selected.matched,
            )
        }
    };
    let remaining = matched.saturating_sub(u32::try_from(items.len()).unwrap_or(u32::MAX));
    let results = if dry_run {
        foresee(context, member, items).await?
    } else {
        let each = items.into_iter().map(async |(other, only)| {
            let result = remove_connection::run(context, member, &other, only).await;
            (other, result)
        });
        join_all(each).await
    };
    Ok(Done {
        results,
        matched,
        remaining,
    })
}

/// Since when each connection is that would end.
async fn foresee(
    context: &Context,
    member: &MemberId,
    items: Vec<(MemberId, Option<Time>)>,
) -> Result<Vec<(MemberId, Result<Option<Time>, Failure>)>, Failure> {
    let named = items.iter().filter(|(_, found)| found.is_none());
    let others: Vec<_> = named
        .map(|(other, _)| other.clone())
        .filter(|other| other != member)
        .collect();
    let erased = context.store.is_erased(member.clone()).await?;
    let related = context.store.relationships(member.clone(), others).await?;
    let mut related = related.into_iter();
    let each = items.into_iter().map(|(other, found)| {
        let result = if found.is_some() {
            Ok(found)
        } else if erased {
            Err(Refusal::MemberNotFound.into())
        } else if other == *member {
            Err(Refusal::SelfReference.into())
        } else {
            Ok(match related.next() {
                Some(Relationship::Connected(since)) => Some(since),
                Some(Relationship::None | Relationship::Blocked) | None => None,
            })
        };
        (other, result)
    });
    Ok(each.collect())
}

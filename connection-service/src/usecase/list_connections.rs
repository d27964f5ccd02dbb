//! `ListConnections`: a member's connections, newest first.
//!
//! Deliberately absent: tokens; a page begins after a line.

use service_kit::id::MemberId;

use super::{Context, Failure};
use crate::store::{Line, ListPage};

/// The page after `after`, of at most `limit` lines.
pub async fn run(
    context: &Context,
    member: MemberId,
    after: Option<Line>,
    limit: u32,
) -> Result<ListPage, Failure> {
    Ok(context.store.connections(member, after, limit).await?)
}

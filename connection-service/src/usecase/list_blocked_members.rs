//! `ListBlockedMembers`: whom a member has blocked, newest first.
//!
//! Deliberately absent: by whom a member is blocked, which nobody is told.

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
    Ok(context.store.blocks(member, after, limit).await?)
}

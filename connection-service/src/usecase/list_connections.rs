//! `ListConnections`: a member's connections in an order, all of them or those that match.
//!
//! Deliberately absent: tokens; a page begins after a place.

use service_kit::id::MemberId;

use super::{Context, Failure};
use crate::store::{ConnectionPage, ListRequest};

/// The page that is asked for.
pub async fn run(
    context: &Context,
    member: MemberId,
    request: ListRequest,
) -> Result<ConnectionPage, Failure> {
    Ok(context.store.connections(member, request).await?)
}

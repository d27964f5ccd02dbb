//! `GetMember`: a member's card.
//!
//! Deliberately absent: telling whoever was erased from whoever has no card.

use service_kit::id::MemberId;

use super::{Context, Failure};
use crate::domain::card::Card;
use crate::domain::refusal::Refusal;

/// The card. Refuses with [`Refusal::MemberNotFound`].
pub async fn run(context: &Context, member: MemberId) -> Result<Card, Failure> {
    let card = context.store.card(member).await?;
    Ok(card.ok_or(Refusal::MemberNotFound)?)
}

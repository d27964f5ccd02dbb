//! `PutMember` and `BatchPutMembers`: what members are found and shown by.
//!
//! Deliberately absent: telling anybody. Nobody watches cards.

use service_kit::crash;
use service_kit::id::MemberId;

use super::{Context, Failure};
use crate::domain::card::Card;
use crate::domain::refusal::Refusal;
use crate::store::PutCard;

/// How many cards are folded before other calls have a turn.
const FOLDED_AT_ONCE: usize = 32;

/// How many cards may come together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardOptions {
    /// How many cards one batch may put. Default 500.
    pub cards_max: usize,
}

impl Default for CardOptions {
    fn default() -> Self {
        Self { cards_max: 500 }
    }
}

/// Stores the cards together; says of each, in their order, whether it was stored. Refuses those of erased members with
/// [`Refusal::MemberNotFound`].
pub async fn run(
    context: &Context,
    cards: Vec<(MemberId, Card)>,
) -> Result<Vec<Result<(), Refusal>>, Failure> {
    let mut folded = Vec::with_capacity(cards.len());
    for (n, (member, card)) in cards.into_iter().enumerate() {
        if n % FOLDED_AT_ONCE == FOLDED_AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        folded.push(PutCard::new(member, card));
    }
    let put = context.store.put_cards(folded).await?;
    crash::point("put.committed");
    Ok(put)
}

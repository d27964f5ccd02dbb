//! Members' cards: the command that stores them, and what it needs of rows.
//!
//! Deliberately absent: who sees a card, and folding: a card comes with what follows from it, so that the writer has only to write.

use service_kit::error::StoreError;
use service_kit::id::MemberId;

use super::rows::Rows;
use super::transaction::Transaction;
use crate::domain::card::{Card, CardKeys};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;

/// A card to be stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PutCard {
    /// Whose.
    pub member: MemberId,
    /// What they put.
    pub card: Card,
    /// What follows from it.
    pub keys: CardKeys,
}

impl PutCard {
    /// Folds the card.
    pub fn new(member: MemberId, card: Card) -> Self {
        let keys = CardKeys::of(&card);
        Self { member, card, keys }
    }
}

/// What a transaction reads and writes of cards; the duties are those of [`Rows`].
pub(super) trait CardRows {
    /// A member's card.
    fn card(&mut self, member: &MemberId) -> Result<Option<Card>, StoreError>;
    /// Replaces it.
    fn put_card(&mut self, put: &PutCard) -> Result<(), StoreError>;
    /// Removes it, if there is one.
    fn delete_card(&mut self, member: &MemberId) -> Result<(), StoreError>;
}

/// Stores cards, in their order; each is answered for alone.
pub(super) fn put(
    rows: &mut dyn Rows,
    policy: &Policy,
    cards: &[PutCard],
) -> Result<Vec<Result<(), Refusal>>, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let mut changed = false;
    let mut answers = Vec::with_capacity(cards.len());
    for put in cards {
        if tx.party(&put.member)?.is_erased() {
            answers.push(Err(Refusal::MemberNotFound));
            continue;
        }
        if tx.rows.card(&put.member)?.as_ref() != Some(&put.card) {
            tx.rows.put_card(put)?;
            changed = true;
        }
        answers.push(Ok(()));
    }
    if changed {
        tx.finish()?;
    }
    Ok(answers)
}

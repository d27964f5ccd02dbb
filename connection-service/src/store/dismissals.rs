//! Whom members do not want suggested.
//!
//! One side's own, like a label: the other never hears of it. Deliberately absent: suggestions.

use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::commands::Act;
use super::rows::Rows;
use super::transaction::Transaction;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;

/// The rows of dismissals, under the duties of [`Rows`].
pub(super) trait DismissalRows {
    /// Adds a dismissal unless there is one; says whether it did.
    fn dismiss(
        &mut self,
        member: &MemberId,
        other: &MemberId,
        time: Time,
    ) -> Result<bool, StoreError>;
    /// Takes a member's oldest dismissals until they have no more than `dismissals_max`.
    fn bound_dismissals(
        &mut self,
        member: &MemberId,
        dismissals_max: u32,
    ) -> Result<(), StoreError>;
    /// Deletes up to `limit` dismissals by or of a member; says how many.
    fn delete_dismissals(&mut self, member: &MemberId, limit: u32) -> Result<u32, StoreError>;
}

/// Notes that the member who acts does not want the other suggested. Of somebody erased nothing is noted.
pub(super) fn dismiss(
    rows: &mut dyn Rows,
    policy: &Policy,
    act: &Act,
) -> Result<Result<(), Refusal>, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let parties = tx.parties(&act.key)?;
    if parties.get(act.side).is_erased() {
        return Ok(Err(Refusal::MemberNotFound));
    }
    if parties.get(act.side.other()).is_erased() {
        return Ok(Ok(()));
    }
    let (member, other) = (act.actor(), act.key.member(act.side.other()));
    if tx.rows.dismiss(member, other, tx.now)? {
        tx.rows.bound_dismissals(member, policy.dismissals_max)?;
        tx.finish()?;
    }
    Ok(Ok(()))
}

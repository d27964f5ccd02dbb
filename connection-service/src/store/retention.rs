//! Forgetting what has served its time, a chunk at a time.
//!
//! Deliberately absent: when it is done (see `worker`). Doing it late changes no decision: they look at the times themselves.

use service_kit::error::StoreError;

use super::rows::Rows;
use super::transaction::Transaction;
use crate::domain::policy::Policy;

/// Takes back removal marks that no longer stand against anything. Says whether there may be more.
pub(super) fn forget_removal_marks(
    rows: &mut dyn Rows,
    policy: &Policy,
) -> Result<bool, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let until = tx.now.minus(policy.removal_mark_kept);
    let marks = tx
        .rows
        .removal_marks_until(until, policy.job_chunk.max(1))?;
    let Some(more) = full(marks.len(), policy) else {
        return Ok(false);
    };
    for (id, other) in &marks {
        let member = tx.rows.member(id)?;
        let mut member = member.ok_or_else(|| StoreError::corrupt("a mark has no member"))?;
        tx.drop_removal_mark(id, other)?;
        let left = member.removal_marks.checked_sub(1);
        member.removal_marks = left.ok_or_else(|| StoreError::corrupt("marks are not counted"))?;
        tx.rows.put_member(id, &member)?;
    }
    tx.finish()?;
    Ok(more)
}

/// Deletes verdicts whose facts were acknowledged long enough ago. Says whether there may be more.
pub(super) fn forget_verdicts(rows: &mut dyn Rows, policy: &Policy) -> Result<bool, StoreError> {
    let tx = Transaction::begin(rows, policy)?;
    let until = tx.now.minus(policy.verdicts_kept);
    let position = tx.rows.acknowledged_by(until)?;
    let limit = policy.job_chunk.max(1);
    let deleted = tx.rows.delete_verdicts_until(until, position, limit)?;
    tx.finish()?;
    Ok(deleted == limit)
}

/// Deletes facts that are older than the feed keeps them. Says whether there may be more.
pub(super) fn forget_facts(rows: &mut dyn Rows, policy: &Policy) -> Result<bool, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let until = tx.now.minus(policy.facts_kept);
    let limit = policy.job_chunk.max(1);
    let Some(last) = tx.rows.delete_facts_until(until, limit)? else {
        return Ok(false);
    };
    let deleted = last.checked_sub(tx.head.pruned);
    tx.head.pruned = last;
    tx.finish()?;
    Ok(deleted == Some(u64::from(limit)))
}

/// Whether a chunk was full, so that there may be more; `None` for an empty one.
fn full(found: usize, policy: &Policy) -> Option<bool> {
    let found = u32::try_from(found).ok()?;
    (found > 0).then_some(found >= policy.job_chunk.max(1))
}

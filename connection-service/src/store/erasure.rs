//! Erasing a member, step by step.
//!
//! The first step makes the id unusable, tells the feed, drops the card, and removes the first chunk of the member's pairs, which for most is all.
//! The next ones remove the rest. When the other service has acknowledged the erasure, the facts that name the member lose their
//! content, newest first, and then nothing of it is left but a keyed hash of the id.
//!
//! Deliberately absent: when the steps are taken (see `worker`).

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Side, Sides};
use service_kit::secret::StoreSecret;

use super::labels;
use super::rows::Rows;
use super::transaction::Transaction;
use crate::domain::erase::{Erasure, Stage, sever};
use crate::domain::fact::Fact;
use crate::domain::member::{Member, Party};
use crate::domain::pair::Pair;
use crate::domain::policy::Policy;

/// The hash that stays of an erased id.
pub(super) fn erased_hash(secret: &StoreSecret, id: &MemberId) -> [u8; 16] {
    secret.keyed_hash("erased member", &[id.as_str().as_bytes()])
}

/// How far the erasure of a member has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Erased {
    /// Everything is gone, on both sides.
    Complete,
    /// Work is left; the fact of the erasure has this position.
    Underway {
        /// The fact's position.
        fact: u64,
    },
}

/// Begins the erasure, or says how far it has come.
pub(super) fn begin(
    rows: &mut dyn Rows,
    policy: &Policy,
    id: &MemberId,
) -> Result<Erased, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let member = match tx.party(id)? {
        Party::Present(member) => member,
        Party::Erased => {
            return Ok(match tx.rows.erasure(id)? {
                Some(erasure) => Erased::Underway {
                    fact: erasure.position,
                },
                None => Erased::Complete,
            });
        }
    };
    let previous = Sides {
        low: member.last_fact,
        high: 0,
    };
    let position = tx.append(&Fact::Erased(id.clone()), previous)?;
    tx.rows.delete_member(id)?;
    tx.rows.delete_card(id)?;
    tx.rows.put_erased(id, position)?;
    let mut erasure = Erasure {
        position,
        last_fact: position,
        stage: Stage::Severing,
    };
    sever_some(&mut tx, id, &mut erasure)?;
    tx.rows.put_erasure(id, &erasure)?;
    tx.finish()?;
    Ok(Erased::Underway { fact: position })
}

/// Takes the next step of an erasure. Says whether it can go on at once, within the same stage.
pub(super) fn advance(
    rows: &mut dyn Rows,
    policy: &Policy,
    id: &MemberId,
) -> Result<bool, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let Some(mut erasure) = tx.rows.erasure(id)? else {
        return Ok(false);
    };
    if !erasure.can_advance(tx.head.acknowledged) {
        return Ok(false);
    }
    match erasure.stage {
        Stage::Severing => sever_some(&mut tx, id, &mut erasure)?,
        // Blanking begins with the next step, so that watches have a moment to show what they have been woken for.
        Stage::AwaitingAcknowledgement => {
            erasure.stage = Stage::Blanking {
                next: erasure.last_fact,
            };
            tx.rows.put_erasure(id, &erasure)?;
            tx.finish()?;
            return Ok(false);
        }
        Stage::Blanking { next } => {
            let next = blank_some(&mut tx, id, next)?;
            if next == 0 {
                tx.rows.delete_erasure(id)?;
                tx.finish()?;
                return Ok(false);
            }
            erasure.stage = Stage::Blanking { next };
        }
    }
    tx.rows.put_erasure(id, &erasure)?;
    tx.finish()?;
    Ok(erasure.stage != Stage::AwaitingAcknowledgement)
}

/// Removes up to a chunk of the member's pairs, then of their labels and of the dismissals by and of them, and ends the stage when none is
/// left.
fn sever_some(
    tx: &mut Transaction<'_>,
    id: &MemberId,
    erasure: &mut Erasure,
) -> Result<(), StoreError> {
    let chunk = tx.policy.job_chunk.max(1);
    let pairs = tx.rows.pairs_of(id, chunk)?;
    let all = u32::try_from(pairs.len()).is_ok_and(|found| found < chunk);
    for (key, pair) in &pairs {
        sever_pair(tx, id, key, pair, erasure)?;
    }
    // Labels last: what hung on the pairs still counts them.
    let all = all && labels::drop_notebook(tx, id)?;
    // With the last of the pairs, so that a command stays within its chunk.
    if all && tx.rows.delete_dismissals(id, chunk)? < chunk {
        erasure.stage = Stage::AwaitingAcknowledgement;
    }
    Ok(())
}

fn sever_pair(
    tx: &mut Transaction<'_>,
    id: &MemberId,
    key: &PairKey,
    before: &Pair,
    erasure: &mut Erasure,
) -> Result<(), StoreError> {
    let Some(side) = key.side_of(id) else {
        return Err(StoreError::corrupt("a pair was found under a stranger"));
    };
    let partner_id = key.member(side.other());
    // A partner who is being erased too has no row any more either, but an erasure that still severs.
    let mut partner_erasure = None;
    let partner = match tx.party(partner_id)? {
        Party::Present(member) => member,
        Party::Erased => {
            let found = tx.rows.erasure(partner_id)?;
            let found = found.ok_or_else(|| StoreError::corrupt("an erased member has a pair"))?;
            partner_erasure = Some(found);
            stand_in(before, side.other(), found.last_fact)
        }
    };
    let mut members = Sides {
        low: partner,
        high: partner,
    };
    *members.get_mut(side) = stand_in(before, side, erasure.last_fact);
    let mut after = *before;
    let event = sever(&mut after);
    tx.write(key, before, &after, event, &mut members)?;
    erasure.last_fact = members.get(side).last_fact;
    let partner = members.get(side.other());
    match partner_erasure {
        None => tx.rows.put_member(partner_id, partner),
        Some(erasure) => {
            let erasure = Erasure {
                last_fact: partner.last_fact,
                ..erasure
            };
            tx.rows.put_erasure(partner_id, &erasure)
        }
    }
}

/// Stands for the row of a member who is being erased, so that the end of one pair can be counted on both sides.
fn stand_in(pair: &Pair, side: Side, last_fact: u64) -> Member {
    Member {
        connections: u32::from(pair.connection.is_some()),
        blocks: u32::from(pair.blocked.get(side).is_some()),
        removal_marks: u32::from(pair.removed.get(side).is_some()),
        last_fact,
    }
}

/// Blanks up to a chunk of the facts that name the member, from `next` backwards. Where to go on; 0 when none is left.
fn blank_some(tx: &mut Transaction<'_>, id: &MemberId, mut next: u64) -> Result<u64, StoreError> {
    for _ in 0..tx.policy.job_chunk.max(1) {
        if next == 0 {
            break;
        }
        // What was forgotten ends the way: everything before it was forgotten too.
        next = tx.rows.blank_fact(next, id)?.unwrap_or(0);
    }
    Ok(next)
}

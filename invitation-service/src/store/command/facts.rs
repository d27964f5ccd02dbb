//! connection-service's word: its verdicts on acceptances, and its feed.
//!
//! Deliberately absent: erasures, which may take many transactions (`erase.rs`), and starting the copy anew (`rebuild.rs`).

use service_kit::{epoch::EpochId, error::StoreError, id::PairKey};

use super::{open, settle};
use crate::{
    domain::{
        accept::{Ruled, Ruling, rule as decide},
        facts::learn,
        pair::Facts,
        policy::Policy,
    },
    store::rows::{FeedCursor, Rows},
};

/// Applies a verdict. `None` when it is of a history that is not followed (connection-service has restarted and the feed has not been
/// resumed yet): the acceptance stays, and is asked about again.
pub fn rule(
    rows: &mut dyn Rows,
    policy: &Policy,
    key: &PairKey,
    epoch: EpochId,
    ruling: &Ruling,
) -> Result<Option<Ruled>, StoreError> {
    let cursor = rows.cursor();
    if cursor.epoch != Some(epoch) {
        return Ok(None);
    }
    let before = open(rows, policy, key)?;
    let mut after = before.clone();
    let (ruled, steps) = decide(&mut after, ruling, cursor.position, policy, rows.now());
    if after != before {
        settle(rows, policy, &before, after, &steps, None)?;
    }
    Ok(Some(ruled))
}

/// One change of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedFact {
    /// Its position.
    pub position: u64,
    /// Between whom.
    pub key: PairKey,
    /// What holds from there on.
    pub facts: Facts,
}

/// Folds changes of the feed, in order, and notes how far it has been followed: up to `until`.
pub fn fold(
    rows: &mut dyn Rows,
    policy: &Policy,
    facts: &[FeedFact],
    until: FeedCursor,
) -> Result<(), StoreError> {
    for fact in facts {
        let followed = rows.cursor().position;
        if fact.position <= followed {
            continue;
        }
        let before = open(rows, policy, &fact.key)?;
        let mut after = before.clone();
        let learned = learn(
            &mut after,
            fact.facts,
            fact.position,
            // Everything before this change has been folded, whether or not it concerned this pair.
            fact.position.saturating_sub(1),
            policy,
            rows.now(),
        );
        rows.put_cursor(FeedCursor {
            position: fact.position,
            ..until
        });
        if after != before {
            settle(rows, policy, &before, after, &learned.transitions, None)?;
        }
    }
    let followed = rows.cursor();
    if until.epoch != followed.epoch || until.position >= followed.position {
        rows.put_cursor(until);
    }
    Ok(())
}

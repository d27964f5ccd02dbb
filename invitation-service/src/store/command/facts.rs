//! connection-service's word: its verdicts on acceptances, and its feed.
//!
//! Deliberately absent: erasures, which may take many transactions (`erase.rs`), and starting the copy anew (`rebuild.rs`).

use std::sync::atomic::{AtomicUsize, Ordering};

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
    rows.announce(&mut facts.iter().map(|fact| &fact.key));
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

/// Fewer facts than this are never folded at once, so that following goes on under any load.
const AT_ONCE_MIN: usize = 16;

/// How many facts are folded at once: beside other commands no more than these are, each of which costs more than a fact does, so that they wait
/// no longer than they would for as many of their own kind. While there are no others and many facts wait, some more each time: many together
/// cost far less, and whoever comes then waits the shorter the shorter ago others came.
#[derive(Debug)]
pub struct Pace(AtomicUsize);

impl Default for Pace {
    fn default() -> Self {
        Self(AtomicUsize::new(AT_ONCE_MIN))
    }
}

impl Pace {
    /// How many of the facts that wait to fold beside so many others.
    pub fn at_once(&self, waiting: usize, others: usize) -> usize {
        // One thread folds; another order could only make it more careful.
        let alone = self.0.load(Ordering::Relaxed);
        let (now, next) = match others {
            0 if waiting > AT_ONCE_MIN => (alone, alone.saturating_add(AT_ONCE_MIN)),
            0 => (AT_ONCE_MIN, AT_ONCE_MIN),
            others => (others.max(AT_ONCE_MIN), AT_ONCE_MIN),
        };
        self.0.store(next, Ordering::Relaxed);
        now
    }
}

/// Folds the first `most` of `facts`. Says how many that are.
pub fn fold_some(
    rows: &mut dyn Rows,
    policy: &Policy,
    facts: &[FeedFact],
    until: FeedCursor,
    most: usize,
) -> Result<usize, StoreError> {
    let (now, later) = facts.split_at_checked(most).unwrap_or((facts, &[]));
    let until = match now.last() {
        Some(last) if !later.is_empty() => FeedCursor {
            position: last.position,
            ..until
        },
        _ => until,
    };
    fold(rows, policy, now, until)?;
    Ok(now.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_no_more_than_the_commands_beside_them_and_more_and_more_while_there_are_none() {
        let pace = Pace::default();
        for (waiting, others, facts) in [
            (2_000, 0, 16),
            (2_000, 0, 32),
            (2_000, 0, 48),
            (2_000, 1, 16),
            (2_000, 0, 16),
            (2_000, 0, 32),
            (2_000, 300, 300),
            (2_000, 17, 17),
            (2_000, 0, 16),
            (2_000, 0, 32),
            (1, 0, 16),
            (2_000, 0, 16),
        ] {
            assert_eq!(pace.at_once(waiting, others), facts, "{waiting} {others}");
        }
        // It is the facts that come to an end.
        let last = (0..1_000).map(|_| pace.at_once(2_000, 0)).last();
        assert_eq!(last, Some(16 * 1_001));
    }
}

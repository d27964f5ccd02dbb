//! Starting the copy of connection-service's facts anew, from its list: after too long an absence, or when its store is another incarnation
//! (a backup was restored there).
//!
//! Deliberately absent: reading the list (`connections/`), and erasures, whose hashes this service keeps itself.

use service_kit::{error::StoreError, id::PairKey};

use super::{open, settle};
use crate::{
    domain::{
        facts::{adopt, offer_again, rewind},
        pair::Facts,
        policy::Policy,
    },
    store::rows::Rows,
};

/// How many pairs one transaction looks at.
const PAIRS_MAX: usize = 500;

/// Forgets positions beyond what the two histories have in common, for the pairs after `after`; where to go on, if there are more.
///
/// An acceptance that the other side has lost is offered again: its invitation awaits a verdict once more.
pub fn rewind_pairs(
    rows: &mut dyn Rows,
    policy: &Policy,
    after: Option<&PairKey>,
    common_position: u64,
) -> Result<Option<PairKey>, StoreError> {
    let keys = rows.pairs_between(after, None, PAIRS_MAX)?;
    for key in &keys {
        let before = open(rows, policy, key)?;
        let mut pair = before.clone();
        rewind(&mut pair, common_position);
        let steps: Vec<_> = offer_again(&mut pair, common_position, rows.now())
            .into_iter()
            .collect();
        if pair != before {
            settle(rows, policy, &before, pair, &steps, None)?;
        }
    }
    Ok(keys.last().filter(|_| keys.len() == PAIRS_MAX).cloned())
}

/// A page of the other side's list.
#[derive(Debug, Clone)]
pub struct FactsPage {
    /// The last pair of the page before; `None` for the first.
    pub after: Option<PairKey>,
    /// The last pair this page speaks of; `None` when it speaks of all that follow.
    pub until: Option<PairKey>,
    /// What holds, in the order of the pairs. Between the others nothing holds.
    pub facts: Vec<(PairKey, Facts)>,
    /// Where in the feed the page was read.
    pub position: u64,
}

/// Takes a page of the other side's list as what holds between all pairs it speaks of: the listed ones, and those of ours that are not
/// listed. Looks at a bounded number of ours; where to go on within the page, if there are more.
pub fn merge_page(
    rows: &mut dyn Rows,
    policy: &Policy,
    page: &FactsPage,
) -> Result<Option<PairKey>, StoreError> {
    let ours = rows.pairs_between(page.after.as_ref(), page.until.as_ref(), PAIRS_MAX)?;
    let border = ours.last().filter(|_| ours.len() == PAIRS_MAX).cloned();
    let within = |key: &PairKey| {
        page.after.as_ref().is_none_or(|after| key > after)
            && border.as_ref().is_none_or(|border| key <= border)
    };
    let listed = page.facts.iter().filter(|(key, _)| within(key));
    rows.announce(&mut listed.clone().map(|(key, _)| key));
    for (key, facts) in listed {
        take(rows, policy, key, *facts, page.position)?;
    }
    for key in &ours {
        if page
            .facts
            .binary_search_by(|(listed, _)| listed.cmp(key))
            .is_err()
        {
            take(rows, policy, key, Facts::default(), page.position)?;
        }
    }
    Ok(border)
}

fn take(
    rows: &mut dyn Rows,
    policy: &Policy,
    key: &PairKey,
    facts: Facts,
    position: u64,
) -> Result<(), StoreError> {
    let before = open(rows, policy, key)?;
    if before.facts_position > position {
        return Ok(());
    }
    let mut after = before.clone();
    let steps = adopt(&mut after, facts, position, policy, rows.now());
    settle(rows, policy, &before, after, &steps, None)?;
    Ok(())
}

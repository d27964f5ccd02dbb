//! Moving in many connections in one transaction.
//!
//! Everything that the rows name is read first, then all is decided, then all is written, each in the order of keys: rows that lie together
//! are met together, however the import came. Deliberately absent: rules (see `domain::import`), and how many rows a transaction has.

use std::collections::HashMap;

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::time::Time;

use super::rows::Rows;
use super::transaction::Transaction;
use crate::domain::fact::PairEvent;
use crate::domain::import::{self, Outcome};
use crate::domain::member::Party;
use crate::domain::pair::Pair;
use crate::domain::policy::Policy;

/// A connection that was made elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// Between whom.
    pub key: PairKey,
    /// When it was made.
    pub connect_time: Time,
}

/// A member that rows of the import name.
struct Known {
    party: Party,
    changed: bool,
}

/// Decides each of `imported`, in their order; best that of their keys.
pub(super) fn import(
    rows: &mut dyn Rows,
    policy: &Policy,
    imported: &[Imported],
) -> Result<Vec<Outcome>, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let mut pairs: HashMap<&PairKey, Pair> = HashMap::with_capacity(imported.len());
    for Imported { key, .. } in imported {
        if !pairs.contains_key(key) {
            pairs.insert(key, tx.rows.pair(key)?);
        }
    }
    let mut members = parties(&mut tx, imported)?;
    let mut outcomes = Vec::with_capacity(imported.len());
    tx.rows.hold();
    for Imported { key, connect_time } in imported {
        let missing = || StoreError::internal("a row of the import was not read");
        let pair = pairs.get_mut(key).ok_or_else(missing)?;
        let party = |id| members.get(id).map(|known| known.party).ok_or_else(missing);
        let parties = Sides {
            low: party(key.low())?,
            high: party(key.high())?,
        };
        let before = *pair;
        outcomes.push(import::decide(
            pair,
            &parties,
            *connect_time,
            policy,
            tx.now,
        ));
        let (Party::Present(low), Party::Present(high)) = (parties.low, parties.high) else {
            continue;
        };
        if *pair == before {
            continue;
        }
        let mut both = Sides { low, high };
        tx.write(key, &before, pair, Some(PairEvent::Connected), &mut both)?;
        for (id, member) in [(key.low(), both.low), (key.high(), both.high)] {
            let known = members.get_mut(id).ok_or_else(missing)?;
            known.party = Party::Present(member);
            known.changed = true;
        }
    }
    let mut changed = false;
    for (id, known) in members {
        if let (true, Party::Present(member)) = (known.changed, known.party) {
            tx.rows.put_member(id, &member)?;
            changed = true;
        }
    }
    tx.rows.write_held()?;
    if changed {
        tx.finish()?;
    }
    Ok(outcomes)
}

/// Everybody whom the rows name, read in the order of their ids.
fn parties<'a>(
    tx: &mut Transaction<'_>,
    imported: &'a [Imported],
) -> Result<HashMap<&'a MemberId, Known>, StoreError> {
    let named = imported
        .iter()
        .flat_map(|row| [row.key.low(), row.key.high()]);
    let mut ids: Vec<&MemberId> = named.collect();
    ids.sort_unstable();
    ids.dedup();
    let known = |id| -> Result<_, StoreError> {
        let party = tx.party(id)?;
        let changed = false;
        Ok((id, Known { party, changed }))
    };
    ids.into_iter().map(known).collect()
}

//! What time alone does to a pair, and taking up acceptances that nobody saw through.

use service_kit::{error::StoreError, id::PairKey};

use super::{AwaitedVerdict, open, settle};
use crate::{
    domain::{policy::Policy, review::take_up},
    store::rows::Rows,
};

/// Does what is due on a pair; the acceptance to see through, if its turn has come.
pub fn review(
    rows: &mut dyn Rows,
    policy: &Policy,
    key: &PairKey,
) -> Result<Option<AwaitedVerdict>, StoreError> {
    let before = open(rows, policy, key)?;
    let mut after = before.clone();
    let jitter = rows.jitter();
    let taken = take_up(&mut after, policy, rows.now(), jitter);
    // Put also when nothing changed: the row may only have waited for the feed to pass it.
    let after = settle(rows, policy, &before, after, &[], None)?;
    Ok(AwaitedVerdict::of(&after).filter(|_| taken))
}

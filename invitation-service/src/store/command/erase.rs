//! Erasing a member, in transactions of bounded size.
//!
//! From the first on the member is refused as inviter and masked as invitee. Deliberately absent: connection-service's half, which comes
//! first and tells this one through its feed.

use service_kit::{error::StoreError, id::MemberId};

use super::{open, settle};
use crate::{
    domain::{erase::erase as decide, policy::Policy},
    store::rows::Rows,
};

/// How many pairs one transaction erases.
const PAIRS_MAX: usize = 200;
/// How many events one transaction takes the name out of.
const EVENTS_MAX: usize = 2_000;

/// Erases a part of what is kept of a member; whether that was the last of it.
pub fn erase(rows: &mut dyn Rows, policy: &Policy, id: &MemberId) -> Result<bool, StoreError> {
    let mut member = rows.member(id)?;
    if !member.erased {
        rows.put_erased(id);
        member.erased = true;
        rows.put_member(member);
    }
    let keys = rows.some_pairs(id, PAIRS_MAX)?;
    for key in &keys {
        let before = open(rows, policy, key)?;
        let mut after = before.clone();
        let steps = decide(&mut after);
        settle(rows, policy, &before, after, &steps, None)?;
    }
    if keys.len() == PAIRS_MAX {
        return Ok(false);
    }
    // Last, for the events of the partners' lists that the erasure itself appended.
    let mut member = rows.member(id)?;
    if let Some(from) = rows.blank_member_events(member.last_event, EVENTS_MAX)? {
        member.last_event = Some(from);
        rows.put_member(member);
        return Ok(false);
    }
    rows.delete_member(id);
    Ok(true)
}

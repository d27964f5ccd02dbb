//! Whom an inviter could invite, as far as the inviter's own side determines it.
//!
//! Deliberately absent: everything that the invitees have done in silence. Whoever cannot be invited for that is found eligible.

use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey},
};

use super::{
    open,
    send::{cooldown_key, expire_overdue_at_the_cap},
};
use crate::{
    domain::{
        invitation::Place,
        policy::Policy,
        refusal::Refusal,
        send::{Asking, Way, own_side},
    },
    store::rows::Rows,
};

/// For each invitee what a sending would be refused with; `None` where nothing on the inviter's own side stands against it.
///
/// It goes through the rows as a sending does, with what is due done; so it is for rows that are not written afterwards.
pub fn eligibility(
    rows: &mut dyn Rows,
    policy: &Policy,
    inviter: &MemberId,
    invitees: &[MemberId],
) -> Result<Result<Vec<Option<Refusal>>, Refusal>, StoreError> {
    if rows.member(inviter)?.erased {
        return Ok(Err(Refusal::MemberNotFound));
    }
    expire_overdue_at_the_cap(rows, policy, inviter, Place::Sent)?;
    advance_standing(rows, policy, inviter)?;
    let mut refusals = Vec::with_capacity(invitees.len());
    for invitee in invitees {
        refusals.push(refusal(rows, policy, inviter, invitee)?);
    }
    Ok(Ok(refusals))
}

/// Does what time alone has made due in the inviter's standing: once, and not for each invitee.
fn advance_standing(
    rows: &mut dyn Rows,
    policy: &Policy,
    inviter: &MemberId,
) -> Result<(), StoreError> {
    let mut member = rows.member(inviter)?;
    let terms = member.terms(policy);
    member.standing.advance(rows.now(), &terms);
    rows.put_member(member);
    Ok(())
}

fn refusal(
    rows: &mut dyn Rows,
    policy: &Policy,
    inviter_id: &MemberId,
    invitee_id: &MemberId,
) -> Result<Option<Refusal>, StoreError> {
    let Some(key) = PairKey::new(inviter_id, invitee_id) else {
        return Ok(Some(Refusal::SelfReference));
    };
    let side = key
        .side_of(inviter_id)
        .ok_or_else(|| StoreError::internal("a pair without its member"))?;
    let pair = open(rows, policy, &key)?;
    let cooldown_key = cooldown_key(rows, inviter_id, invitee_id);
    let asking = Asking {
        side,
        withdraw_cooldown_until: rows.withdraw_cooldown(&cooldown_key)?,
        policy,
        now: rows.now(),
    };
    let inviter = rows.member(inviter_id)?;
    Ok(match own_side(&pair, &inviter, &asking) {
        Err(refusal) => Some(refusal),
        // connection-service holds the limit of a crossing; the inviter's own part of it is known here as well.
        Ok(Way::Cross(_)) if inviter.connections >= policy.connections_max => {
            Some(Refusal::ConnectionLimitReached)
        }
        Ok(Way::Cross(_) | Way::Invite) => None,
    })
}

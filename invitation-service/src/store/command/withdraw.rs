//! The inviter's withdrawals, and those that happen at their standing wish.
//!
//! Deliberately absent: finding the members whose wish is due (`worker/`).

use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey},
    time::{Span, Time},
};
use uuid::Uuid;

use super::{
    answer::{Ending, awaited},
    open, open_invitation,
    send::cooldown_key,
    settle, shown_to,
};
use crate::{
    domain::{
        invitation::Place,
        policy::Policy,
        refusal::Refusal,
        withdraw::{
            Withdrawing, auto_withdraw as decide_auto, auto_withdraw_due, withdraw as decide,
        },
    },
    store::rows::Rows,
};

/// Withdraws an invitation.
pub fn withdraw(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    invitation_id: &Uuid,
) -> Result<Result<Ending, Refusal>, StoreError> {
    let (before, side) = match open_invitation(rows, policy, member, invitation_id)? {
        Ok(opened) => opened,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut after = before.clone();
    match decide(&mut after, side, invitation_id, policy, rows.now()) {
        Err(refusal) => return Ok(Err(refusal)),
        Ok(Withdrawing::AwaitsVerdict) => return Ok(Ok(Ending::Awaits(awaited(&after)?))),
        Ok(Withdrawing::Repeated) => {}
        Ok(Withdrawing::Done(step)) => {
            settle(rows, policy, &before, after, &[step], None)?;
            if policy.withdraw_cooldown > Span::ZERO {
                let key = cooldown_key(rows, member, before.key.member(side.other()));
                rows.put_withdraw_cooldown(&key, rows.now().plus(policy.withdraw_cooldown));
            }
        }
    }
    shown_to(rows, member, invitation_id).map(|view| Ok(Ending::Done(view)))
}

/// How many invitations one run of auto-withdrawal looks at.
const AUTO_WITHDRAW_MAX: usize = 100;

/// Ends the oldest of a member's own invitations that have waited longer than the member wishes, and schedules the next run.
pub fn auto_withdraw(
    rows: &mut dyn Rows,
    policy: &Policy,
    id: &MemberId,
) -> Result<(), StoreError> {
    let now = rows.now();
    let mut member = rows.member(id)?;
    if member.auto_withdraw_at.is_none_or(|at| at > now) {
        return Ok(());
    }
    let mut next = None;
    if let Some(days) = member.preferences.auto_withdraw_days {
        let oldest = rows.oldest_entries(
            id,
            Place::Sent,
            now.plus(Span::seconds(1)),
            AUTO_WITHDRAW_MAX,
        )?;
        let full = oldest.len() == AUTO_WITHDRAW_MAX;
        for old in &oldest {
            let due = auto_withdraw_due(old.create_time, days);
            if due > now {
                next = Some(next.map_or(due, |next: Time| next.min(due)));
                break;
            }
            let key = PairKey::new(id, &old.other)
                .ok_or_else(|| StoreError::corrupt("an invitation to oneself"))?;
            let before = open(rows, policy, &key)?;
            let mut after = before.clone();
            let side = key
                .side_of(id)
                .ok_or_else(|| StoreError::internal("a pair without its member"))?;
            if let Some(step) = decide_auto(&mut after, side, days, now) {
                settle(rows, policy, &before, after, &[step], None)?;
            } else if before.live.is_some() {
                // Its acceptance is under way; look again when the verdict is likely known.
                next = Some(now.plus(Span::minutes(1)));
            }
        }
        if full && next.is_none() {
            // More may be due: run again at once.
            next = Some(now);
        }
    }
    member.clone_from(&rows.member(id)?);
    member.auto_withdraw_at = next;
    rows.put_member(member);
    Ok(())
}

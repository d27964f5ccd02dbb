//! The invitee's answers: accept, decline, take a decline back.
//!
//! Deliberately absent: asking connection-service for its verdict, which comes between two transactions.

use service_kit::{
    error::StoreError,
    id::{MemberId, Side},
    time::Time,
};
use uuid::Uuid;

use super::{AwaitedVerdict, open_invitation, settle, shown_to};
use crate::{
    domain::{
        accept::{Accepting, accept as decide_accept},
        decline::{Declining, decline as decide_decline, undo_decline as decide_undo},
        pair::{DeclineReason, Pair},
        policy::Policy,
        refusal::Refusal,
        view::View,
    },
    store::rows::Rows,
};

/// What accepting came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acceptance {
    /// The acceptance is stored; the verdict is awaited.
    Awaited {
        /// As the invitee is shown it.
        view: View,
        /// What to ask connection-service.
        awaited: AwaitedVerdict,
    },
    /// The two are connected by it.
    Connected {
        /// As the invitee is shown it.
        view: View,
        /// The moment the connection was made.
        connect_time: Time,
    },
}

/// What an ending, or its undoing, came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It is so; as the acting member is shown it.
    Done(View),
    /// An acceptance is under way; only its verdict decides.
    Awaits(AwaitedVerdict),
}

/// Accepts an invitation.
pub fn accept(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    invitation_id: &Uuid,
) -> Result<Result<Acceptance, Refusal>, StoreError> {
    let (before, side) = match open_invitation(rows, policy, member, invitation_id)? {
        Ok(opened) => opened,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut after = before.clone();
    let steps = match decide_accept(&mut after, side, invitation_id, None, policy, rows.now()) {
        Err(refusal) => return Ok(Err(refusal)),
        Ok(Accepting::Done { connect_time }) => {
            let view = shown_to(rows, member, invitation_id)?;
            return Ok(Ok(Acceptance::Connected { view, connect_time }));
        }
        Ok(Accepting::InProgress) => Vec::new(),
        Ok(Accepting::Started(step)) => vec![step],
    };
    if !steps.is_empty() {
        after = settle(rows, policy, &before, after, &steps, None)?;
    }
    let awaited = awaited(&after)?;
    let view = shown_to(rows, member, invitation_id)?;
    Ok(Ok(Acceptance::Awaited { view, awaited }))
}

/// Declines an invitation, or strengthens the reason.
pub fn decline(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    invitation_id: &Uuid,
    reason: DeclineReason,
) -> Result<Result<Ending, Refusal>, StoreError> {
    let now = rows.now();
    end(rows, policy, member, invitation_id, |pair, side| {
        decide_decline(pair, side, invitation_id, reason, policy, now)
    })
}

/// Takes a decline back.
pub fn undo_decline(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    invitation_id: &Uuid,
) -> Result<Result<Ending, Refusal>, StoreError> {
    let now = rows.now();
    end(rows, policy, member, invitation_id, |pair, side| {
        decide_undo(pair, side, invitation_id, now)
    })
}

fn end(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    invitation_id: &Uuid,
    decide: impl FnOnce(&mut Pair, Side) -> Result<Declining, Refusal>,
) -> Result<Result<Ending, Refusal>, StoreError> {
    let (before, side) = match open_invitation(rows, policy, member, invitation_id)? {
        Ok(opened) => opened,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let mut after = before.clone();
    match decide(&mut after, side) {
        Err(refusal) => return Ok(Err(refusal)),
        Ok(Declining::AwaitsVerdict) => return Ok(Ok(Ending::Awaits(awaited(&after)?))),
        // A stronger reason changes the pair without a step.
        Ok(Declining::Repeated) if after == before => {}
        Ok(Declining::Repeated) => {
            settle(rows, policy, &before, after, &[], None)?;
        }
        Ok(Declining::Done(steps)) => {
            settle(rows, policy, &before, after, &steps, None)?;
        }
    }
    shown_to(rows, member, invitation_id).map(|view| Ok(Ending::Done(view)))
}

pub(super) fn awaited(pair: &Pair) -> Result<AwaitedVerdict, StoreError> {
    AwaitedVerdict::of(pair)
        .ok_or_else(|| StoreError::internal("an acceptance under way that awaits nothing"))
}

//! What becomes of an invitation, counted for its inviter's standing in the transaction in which it becomes so.
//!
//! Deliberately absent: which step counts as what (`domain/reckoning.rs`) and what follows (`domain/standing.rs`).

use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey, Side},
};

use super::Content;
use crate::{
    domain::{
        invitation::Transition,
        member::Traces,
        note::Note,
        pair::Pair,
        policy::Policy,
        reckoning::{reckon, reported_after_all},
        standing::Tag,
    },
    store::rows::Rows,
};

/// Counts a step for the inviter.
pub(super) fn settle_step(
    rows: &mut dyn Rows,
    policy: &Policy,
    before: &Pair,
    after: &Pair,
    step: &Transition,
    content: Option<&Content>,
) -> Result<(), StoreError> {
    let Some(reckoned) = reckon(before, after, step, policy.ended_kept) else {
        return Ok(());
    };
    let side = step.invitation.inviter;
    let mut inviter = rows.member(after.key.member(side))?;
    let note = content.map(|content| &content.note);
    let (sent_at, now) = (step.invitation.create_time, rows.now());
    let traces = || traces(rows, &after.key, side, note);
    inviter.reckon(reckoned, sent_at, traces, policy, now);
    rows.put_member(inviter);
    Ok(())
}

/// Counts it for the inviter where a decline has become a report, which is no step.
pub(super) fn settle_report(
    rows: &mut dyn Rows,
    policy: &Policy,
    before: &Pair,
    after: &Pair,
) -> Result<(), StoreError> {
    let Some((side, declined_at)) = reported_after_all(before, after, policy.ended_kept) else {
        return Ok(());
    };
    let mut inviter = rows.member(after.key.member(side))?;
    let terms = inviter.terms(policy);
    inviter
        .standing
        .reported_after_all(declined_at, rows.now(), &terms);
    rows.put_member(inviter);
    Ok(())
}

fn traces(rows: &dyn Rows, key: &PairKey, inviter: Side, note: Option<&Note>) -> Traces {
    let bytes = |member: &MemberId| member.as_str().as_bytes().to_vec();
    let (from, to) = (
        bytes(key.member(inviter)),
        bytes(key.member(inviter.other())),
    );
    let note = note.and_then(Note::likeness).map(|likeness| {
        // Of this inviter's: nobody else's notes can be compared with it.
        let parts = [&from[..], likeness.as_bytes()];
        Tag::of(&rows.keyed_hash("acquaint standing note", &parts))
    });
    let pair = rows.keyed_hash("acquaint standing pair", &[&from[..], &to[..]]);
    Traces {
        pair: Tag::of(&pair),
        note,
    }
}

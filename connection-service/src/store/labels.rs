//! The commands on labels and private notes, and what becomes of both when their connection ends.
//!
//! Deliberately absent: rules (see `domain::annotation`), and when what was deleted is cleared away (see `worker`).

use std::collections::BTreeSet;

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Side};
use service_kit::time::Time;

use super::commands::Act;
use super::label_rows::OwnConnection;
use super::rows::Rows;
use super::transaction::Transaction;
use super::{ConnectionLine, Noted};
use crate::domain::annotation::{self, Annotation, Change, Notebook, OwnLabel, Renaming, rename};
use crate::domain::label::{Label, LabelId};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;

type Decided<T> = Result<Result<T, Refusal>, StoreError>;

/// Changes what one side has noted about a connection. The connection as that side sees it then.
pub(super) fn update_connection(
    rows: &mut dyn Rows,
    policy: &Policy,
    act: &Act,
    change: &Change,
) -> Decided<ConnectionLine> {
    let mut tx = Transaction::begin(rows, policy)?;
    let pair = tx.rows.pair(&act.key)?;
    let parties = tx.parties(&act.key)?;
    let connect_time = match annotation::annotate(&pair, &parties, act.side, change, policy) {
        Ok(connect_time) => connect_time,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let of = OwnConnection {
        member: act.actor(),
        other: act.key.member(act.side.other()),
        connect_time,
    };
    let before = tx.rows.annotation(of)?;
    let mut after = before.clone();
    let mut notebook = tx.rows.notebook(of.member)?;
    let counted = notebook;
    if let Some(note) = &change.note {
        after.note = note.clone();
    }
    if let Some(labels) = &change.labels {
        match take_labels(&mut tx, of.member, labels, &mut notebook)? {
            Ok(ids) => after.labels = ids,
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    if before != after {
        write(&mut tx, of, &before, &after, &mut notebook)?;
        if notebook != counted {
            tx.rows.put_notebook(of.member, &notebook)?;
        }
    }
    let mut labels = Vec::with_capacity(after.labels.len());
    for id in &after.labels {
        labels.extend(tx.rows.label(of.member, *id)?.map(|own| own.label));
    }
    labels.sort();
    let line = ConnectionLine {
        other: of.other.clone(),
        connect_time,
        card: None,
        noted: Some(Box::new(Noted {
            labels,
            note: after.note.clone(),
        })),
    };
    if before != after {
        tx.finish()?;
    }
    Ok(Ok(line))
}

/// The numbers of these labels, of which the new ones are made. A refusal has changed nothing.
fn take_labels(
    tx: &mut Transaction<'_>,
    member: &MemberId,
    labels: &BTreeSet<Label>,
    notebook: &mut Notebook,
) -> Decided<BTreeSet<LabelId>> {
    let mut ids = BTreeSet::new();
    let mut new = Vec::new();
    for label in labels {
        match tx.rows.label_id(member, label)? {
            Some(id) => drop(ids.insert(id)),
            None => new.push(label),
        }
    }
    let count = u32::try_from(new.len()).map_err(StoreError::internal)?;
    let numbers = match notebook.number(count, tx.policy) {
        Ok(numbers) => numbers,
        Err(refusal) => return Ok(Err(refusal)),
    };
    for (label, id) in new.into_iter().zip(numbers) {
        let own = OwnLabel {
            label: label.clone(),
            connections: 0,
        };
        tx.rows.put_label(member, id, &own)?;
        ids.insert(id);
    }
    Ok(Ok(ids))
}

/// Writes what is noted about a connection: its row, the lists of its labels, and what is counted. `notebook` is to be written by the caller.
fn write(
    tx: &mut Transaction<'_>,
    of: OwnConnection<'_>,
    before: &Annotation,
    after: &Annotation,
    notebook: &mut Notebook,
) -> Result<(), StoreError> {
    tx.rows.put_annotation(of, after)?;
    for id in before.labels.difference(&after.labels) {
        tx.rows.unlist_labelled(of, *id)?;
        // A deleted one is counted no more.
        if let Some(mut own) = tx.rows.label(of.member, *id)? {
            own.connections = own.connections.checked_sub(1).ok_or_else(miscounted)?;
            tx.rows.put_label(of.member, *id, &own)?;
        }
    }
    for id in after.labels.difference(&before.labels) {
        tx.rows.list_labelled(of, *id)?;
        let own = tx.rows.label(of.member, *id)?;
        let mut own =
            own.ok_or_else(|| StoreError::internal("a label is given that is not there"))?;
        own.connections = own.connections.checked_add(1).ok_or_else(miscounted)?;
        tx.rows.put_label(of.member, *id, &own)?;
    }
    let annotations = match (before.is_empty(), after.is_empty()) {
        (true, false) => notebook.annotations.checked_add(1),
        (false, true) => notebook.annotations.checked_sub(1),
        (true, true) | (false, false) => Some(notebook.annotations),
    };
    notebook.annotations = annotations.ok_or_else(miscounted)?;
    Ok(())
}

/// Drops what both sides have noted about a connection that ends.
pub(super) fn drop_annotations(
    tx: &mut Transaction<'_>,
    key: &PairKey,
    connect_time: Time,
) -> Result<(), StoreError> {
    for side in Side::BOTH {
        let of = OwnConnection {
            member: key.member(side),
            other: key.member(side.other()),
            connect_time,
        };
        let mut notebook = tx.rows.notebook(of.member)?;
        if notebook.annotations == 0 {
            continue;
        }
        let before = tx.rows.annotation(of)?;
        if before.is_empty() {
            continue;
        }
        write(tx, of, &before, &Annotation::default(), &mut notebook)?;
        tx.rows.put_notebook(of.member, &notebook)?;
    }
    Ok(())
}

/// Gives a label another text, everywhere.
pub(super) fn rename_label(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    from: &Label,
    to: &Label,
) -> Decided<OwnLabel> {
    let mut tx = Transaction::begin(rows, policy)?;
    if tx.party(member)?.is_erased() {
        return Ok(Err(Refusal::MemberNotFound));
    }
    let (old, new) = (
        tx.rows.label_id(member, from)?,
        tx.rows.label_id(member, to)?,
    );
    let (id, renames) = match rename(old, new) {
        Ok(Renaming::Rename(id)) => (id, true),
        Ok(Renaming::Renamed(id)) => (id, false),
        Err(refusal) => return Ok(Err(refusal)),
    };
    let own = tx.rows.label(member, id)?;
    let mut own = own.ok_or_else(|| StoreError::corrupt("a label's text leads to no label"))?;
    if renames {
        own.label = to.clone();
        tx.rows.put_label(member, id, &own)?;
        tx.finish()?;
    }
    Ok(Ok(own))
}

/// Deletes a label: nothing shows it from then on. The connections that have it let go of it later, chunk by chunk.
pub(super) fn delete_label(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    label: &Label,
) -> Decided<()> {
    let mut tx = Transaction::begin(rows, policy)?;
    if tx.party(member)?.is_erased() {
        return Ok(Err(Refusal::MemberNotFound));
    }
    let Some(id) = tx.rows.label_id(member, label)? else {
        return Ok(Ok(()));
    };
    let own = tx.rows.label(member, id)?;
    let own = own.ok_or_else(|| StoreError::corrupt("a label's text leads to no label"))?;
    let mut notebook = tx.rows.notebook(member)?;
    notebook.labels = notebook.labels.checked_sub(1).ok_or_else(miscounted)?;
    tx.rows.put_notebook(member, &notebook)?;
    tx.rows.delete_label(member, id)?;
    if own.connections > 0 {
        tx.rows.put_dropped_label(member, id)?;
    }
    tx.finish()?;
    Ok(Ok(()))
}

/// Lets up to a chunk of connections go of a deleted label. Says whether there may be more.
pub(super) fn forget_dropped_labels(
    rows: &mut dyn Rows,
    policy: &Policy,
) -> Result<bool, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let Some((member, id)) = tx.rows.dropped_label()? else {
        return Ok(false);
    };
    let chunk = policy.job_chunk.max(1);
    let labelled = tx.rows.labelled(&member, id, chunk)?;
    let all = u32::try_from(labelled.len()).is_ok_and(|found| found < chunk);
    let mut notebook = tx.rows.notebook(&member)?;
    let counted = notebook;
    for (connect_time, other) in &labelled {
        let of = OwnConnection {
            member: &member,
            other,
            connect_time: *connect_time,
        };
        let before = tx.rows.annotation(of)?;
        let mut after = before.clone();
        if !after.labels.remove(&id) {
            return Err(StoreError::corrupt(
                "a connection is listed under a label that it does not have",
            ));
        }
        write(&mut tx, of, &before, &after, &mut notebook)?;
    }
    if notebook != counted {
        tx.rows.put_notebook(&member, &notebook)?;
    }
    if all {
        tx.rows.delete_dropped_label(&member, id)?;
    }
    tx.finish()?;
    Ok(true)
}

/// Deletes up to a chunk of the labels of a member of whom no connection is left, and what is counted of them with the last. Says whether nothing
/// is left.
pub(super) fn drop_notebook(
    tx: &mut Transaction<'_>,
    member: &MemberId,
) -> Result<bool, StoreError> {
    let chunk = tx.policy.job_chunk.max(1);
    let deleted = tx.rows.delete_labels_of(member, chunk)?;
    let dropped = tx.rows.delete_dropped_labels_of(member, chunk)?;
    if deleted < chunk && dropped < chunk {
        tx.rows.delete_notebook(member)?;
        return Ok(true);
    }
    let mut notebook = tx.rows.notebook(member)?;
    notebook.labels = notebook
        .labels
        .checked_sub(deleted)
        .ok_or_else(miscounted)?;
    tx.rows.put_notebook(member, &notebook)?;
    Ok(false)
}

fn miscounted() -> StoreError {
    StoreError::corrupt("labels or notes are not counted")
}

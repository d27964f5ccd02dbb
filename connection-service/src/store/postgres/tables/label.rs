//! The tables of labels and notes: `notebook`, `label`, `annotation`, `labelled`, `dropped_label`.

use std::sync::LazyLock;

use service_kit::id::MemberId;
use service_kit::postgres::{Column, Columns, Failure, Kind, Table, TableShape, Value, int};
use service_kit::time::Time;

use super::super::batch::LineKey;
use super::keys_alone;
use crate::domain::annotation::{Annotation, Notebook, OwnLabel};
use crate::domain::label::{Label, LabelId, PrivateNote};
use crate::store::codec;

pub(in crate::store::postgres) static NOTEBOOK: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "notebook",
        key: &[("member", Kind::Text)],
        rest: &[
            ("annotations", Kind::Int),
            ("labels", Kind::Int),
            ("last_label", Kind::Int),
        ],
        versioned: false,
    })
});

pub(in crate::store::postgres) static LABEL: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "label",
        key: &[("member", Kind::Text), ("id", Kind::Int)],
        rest: &[("text", Kind::Text), ("connections", Kind::Int)],
        versioned: false,
    })
});

const LINE: [Column; 3] = [
    ("member", Kind::Text),
    ("connect_time", Kind::Big),
    ("other", Kind::Text),
];

pub(in crate::store::postgres) static ANNOTATION: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "annotation",
        key: &LINE,
        rest: &[("labels", Kind::Bytes), ("note", Kind::Text)],
        versioned: false,
    })
});

pub(in crate::store::postgres) static LABELLED: LazyLock<Table> = LazyLock::new(|| {
    Table::new(keys_alone(
        "labelled",
        &[
            ("member", Kind::Text),
            ("label", Kind::Int),
            ("connect_time", Kind::Big),
            ("other", Kind::Text),
        ],
    ))
});

pub(in crate::store::postgres) static DROPPED_LABEL: LazyLock<Table> = LazyLock::new(|| {
    Table::new(keys_alone(
        "dropped_label",
        &[("member", Kind::Text), ("id", Kind::Int)],
    ))
});

/// What is counted of a member's labels, from `annotations`, `labels` and `last_label`.
pub(in crate::store::postgres) fn read_notebook(
    columns: &mut Columns<'_>,
) -> Result<Notebook, Failure> {
    Ok(Notebook {
        annotations: columns.count()?,
        labels: columns.count()?,
        last_label: columns.count()?,
    })
}

/// A label, from `id`, `text` and `connections`.
pub(in crate::store::postgres) fn read_label(
    columns: &mut Columns<'_>,
) -> Result<(LabelId, OwnLabel), Failure> {
    let id = LabelId(columns.count()?);
    let label = OwnLabel {
        label: Label::stored(columns.get()?),
        connections: columns.count()?,
    };
    Ok((id, label))
}

/// What is noted about a connection, from `labels` and `note`.
pub(in crate::store::postgres) fn read_annotation(
    columns: &mut Columns<'_>,
) -> Result<Annotation, Failure> {
    let labels: &[u8] = columns.get()?;
    let note: Option<String> = columns.get()?;
    Ok(Annotation {
        labels: codec::label_ids(labels)?,
        note: note.map(PrivateNote::stored).unwrap_or_default(),
    })
}

pub(in crate::store::postgres) fn notebook<'a>(
    member: &'a MemberId,
    notebook: &Notebook,
) -> Vec<Value<'a>> {
    vec![
        member.as_str().into(),
        int(notebook.annotations).into(),
        int(notebook.labels).into(),
        int(notebook.last_label).into(),
    ]
}

pub(in crate::store::postgres) fn label_key(member: &MemberId, id: LabelId) -> Vec<Value<'_>> {
    vec![member.as_str().into(), int(id.0).into()]
}

pub(in crate::store::postgres) fn label<'a>(
    member: &'a MemberId,
    id: LabelId,
    label: &'a OwnLabel,
) -> Vec<Value<'a>> {
    let mut values = label_key(member, id);
    values.extend([label.label.as_str().into(), int(label.connections).into()]);
    values
}

pub(in crate::store::postgres) fn annotation<'a>(
    of: &'a LineKey,
    annotation: &'a Annotation,
) -> Vec<Value<'a>> {
    let note = Some(annotation.note.as_str()).filter(|note| !note.is_empty());
    let mut values = super::line(of);
    values.extend([codec::label_numbers(&annotation.labels).into(), note.into()]);
    values
}

pub(in crate::store::postgres) fn labelled(
    (member, label, time, other): &(MemberId, LabelId, Time, MemberId),
) -> Vec<Value<'_>> {
    vec![
        member.as_str().into(),
        int(label.0).into(),
        time.millis().into(),
        other.as_str().into(),
    ]
}

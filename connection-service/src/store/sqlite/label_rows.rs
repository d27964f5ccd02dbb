//! The rows of labels and notes as statements on the writer's connection.
//!
//! Deliberately absent: reads outside a transaction (see `labels`).

use rusqlite::{Row, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::codec;
use super::rows::SqliteRows;
use crate::domain::annotation::{Annotation, Notebook, OwnLabel};
use crate::domain::label::{Label, LabelId, PrivateNote};
use crate::store::codec::{label_ids, label_numbers};
use crate::store::label_rows::{LabelRows, OwnConnection};

/// What is noted about a connection, as [`annotation`] reads it; by member, time and other.
pub(super) const ANNOTATION: &str =
    "select labels, note from annotation where member = ?1 and connect_time = ?2 and other = ?3";

pub(super) fn annotation(row: &Row<'_>) -> Result<Annotation, StoreError> {
    let bytes = row.get_ref(0)?.as_blob().map_err(StoreError::corrupt)?;
    Ok(Annotation {
        labels: label_ids(bytes)?,
        note: PrivateNote::stored(row.get::<_, Option<String>>(1)?.unwrap_or_default()),
    })
}

pub(super) fn own_label(row: &Row<'_>) -> Result<OwnLabel, StoreError> {
    Ok(OwnLabel {
        label: Label::stored(row.get(0)?),
        connections: codec::count(row, 1)?,
    })
}

fn label_id(row: &Row<'_>, column: usize) -> Result<LabelId, StoreError> {
    codec::count(row, column).map(LabelId)
}

/// How many rows were changed.
fn changed(rows: usize) -> Result<u32, StoreError> {
    u32::try_from(rows).map_err(StoreError::internal)
}

impl LabelRows for SqliteRows {
    fn notebook(&mut self, member: &MemberId) -> Result<Notebook, StoreError> {
        let found = self.one(
            "select annotations, labels, last_label from notebook where member = ?1",
            [member.as_str()],
            |row| {
                Ok(Notebook {
                    annotations: codec::count(row, 0)?,
                    labels: codec::count(row, 1)?,
                    last_label: codec::count(row, 2)?,
                })
            },
        )?;
        Ok(found.unwrap_or_default())
    }

    fn put_notebook(&mut self, member: &MemberId, notebook: &Notebook) -> Result<(), StoreError> {
        self.change_one(
            "insert or replace into notebook (member, annotations, labels, last_label) values (?1, ?2, ?3, ?4)",
            params![
                member.as_str(),
                notebook.annotations,
                notebook.labels,
                notebook.last_label
            ],
        )
    }

    fn delete_notebook(&mut self, member: &MemberId) -> Result<(), StoreError> {
        self.change("delete from notebook where member = ?1", [member.as_str()])?;
        Ok(())
    }

    fn annotation(&mut self, of: OwnConnection<'_>) -> Result<Annotation, StoreError> {
        let key = params![
            of.member.as_str(),
            of.connect_time.millis(),
            of.other.as_str()
        ];
        Ok(self.one(ANNOTATION, key, annotation)?.unwrap_or_default())
    }

    fn put_annotation(
        &mut self,
        of: OwnConnection<'_>,
        annotation: &Annotation,
    ) -> Result<(), StoreError> {
        let (member, time) = (of.member.as_str(), of.connect_time.millis());
        if annotation.is_empty() {
            return self.change_one(
                "delete from annotation where member = ?1 and connect_time = ?2 and other = ?3",
                params![member, time, of.other.as_str()],
            );
        }
        let note = Some(annotation.note.as_str()).filter(|note| !note.is_empty());
        self.change_one(
            "insert or replace into annotation (member, connect_time, other, labels, note) values (?1, ?2, ?3, ?4, ?5)",
            params![
                member,
                time,
                of.other.as_str(),
                label_numbers(&annotation.labels),
                note
            ],
        )
    }

    fn label(&mut self, member: &MemberId, id: LabelId) -> Result<Option<OwnLabel>, StoreError> {
        self.one(
            "select text, connections from label where member = ?1 and id = ?2",
            params![member.as_str(), id.0],
            own_label,
        )
    }

    fn label_id(
        &mut self,
        member: &MemberId,
        label: &Label,
    ) -> Result<Option<LabelId>, StoreError> {
        self.one(
            "select id from label where member = ?1 and text = ?2",
            [member.as_str(), label.as_str()],
            |row| label_id(row, 0),
        )
    }

    fn put_label(
        &mut self,
        member: &MemberId,
        id: LabelId,
        label: &OwnLabel,
    ) -> Result<(), StoreError> {
        // Not `or replace`: that would take another label of this text away.
        self.change_one(
            "insert into label (member, id, text, connections) values (?1, ?2, ?3, ?4)
             on conflict (member, id) do update set text = excluded.text, connections = excluded.connections",
            params![
                member.as_str(),
                id.0,
                label.label.as_str(),
                label.connections
            ],
        )
    }

    fn delete_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError> {
        self.change_one(
            "delete from label where member = ?1 and id = ?2",
            params![member.as_str(), id.0],
        )
    }

    fn delete_labels_of(&mut self, member: &MemberId, limit: u32) -> Result<u32, StoreError> {
        changed(self.change(
            "delete from label where member = ?1
                 and id in (select id from label where member = ?1 order by id limit ?2)",
            params![member.as_str(), limit],
        )?)
    }

    fn list_labelled(&mut self, of: OwnConnection<'_>, id: LabelId) -> Result<(), StoreError> {
        self.change_one(
            "insert into labelled (member, label, connect_time, other) values (?1, ?2, ?3, ?4)",
            params![
                of.member.as_str(),
                id.0,
                of.connect_time.millis(),
                of.other.as_str()
            ],
        )
    }

    fn unlist_labelled(&mut self, of: OwnConnection<'_>, id: LabelId) -> Result<(), StoreError> {
        self.change_one(
            "delete from labelled where member = ?1 and label = ?2 and connect_time = ?3 and other = ?4",
            params![
                of.member.as_str(),
                id.0,
                of.connect_time.millis(),
                of.other.as_str()
            ],
        )
    }

    fn labelled(
        &mut self,
        member: &MemberId,
        id: LabelId,
        limit: u32,
    ) -> Result<Vec<(Time, MemberId)>, StoreError> {
        self.all(
            "select connect_time, other from labelled where member = ?1 and label = ?2
             order by connect_time, other limit ?3",
            params![member.as_str(), id.0, limit],
            |row| Ok((codec::time(row, 0)?, codec::member_id(row, 1)?)),
        )
    }

    fn put_dropped_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError> {
        self.change_one(
            "insert into dropped_label (member, id) values (?1, ?2)",
            params![member.as_str(), id.0],
        )
    }

    fn dropped_label(&mut self) -> Result<Option<(MemberId, LabelId)>, StoreError> {
        self.one(
            "select member, id from dropped_label order by member, id limit 1",
            [],
            |row| Ok((codec::member_id(row, 0)?, label_id(row, 1)?)),
        )
    }

    fn delete_dropped_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError> {
        self.change_one(
            "delete from dropped_label where member = ?1 and id = ?2",
            params![member.as_str(), id.0],
        )
    }

    fn delete_dropped_labels_of(
        &mut self,
        member: &MemberId,
        limit: u32,
    ) -> Result<u32, StoreError> {
        changed(self.change(
            "delete from dropped_label where member = ?1
                 and id in (select id from dropped_label where member = ?1 order by id limit ?2)",
            params![member.as_str(), limit],
        )?)
    }
}

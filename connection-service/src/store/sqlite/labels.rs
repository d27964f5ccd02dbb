//! What is read of labels and private notes, each in the snapshot of its list.
//!
//! Deliberately absent: the rows of the writer (see `label_rows`).

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::label_rows::{ANNOTATION, annotation, own_label};
use super::reads::read_page;
use super::{codec, read_member};
use crate::domain::annotation::OwnLabel;
use crate::domain::label::{Label, LabelId};
use crate::store::lists::{Part, no_page};
use crate::store::{ConnectionLine, ListPage, Noted};

type Found<T> = Result<T, StoreError>;

/// A member's labels, in the order of their texts.
pub(super) fn labels(conn: &Connection, member: &MemberId) -> Found<Vec<OwnLabel>> {
    // Someone who is being erased has no row any more, but may have labels left.
    if read_member(conn, member)?.is_none() {
        return Ok(Vec::new());
    }
    let mut statement =
        conn.prepare_cached("select text, connections from label where member = ?1 order by text")?;
    let mut rows = statement.query([member.as_str()])?;
    let mut labels = Vec::new();
    while let Some(row) = rows.next()? {
        labels.push(own_label(row)?);
    }
    Ok(labels)
}

/// The number of a member's label of this text.
pub(super) fn number(conn: &Connection, member: &MemberId, label: &Label) -> Found<Option<u32>> {
    Ok(find(conn, member, label)?.map(|(LabelId(number), _)| number))
}

/// How many connections have the label of this text.
pub(super) fn count(conn: &Connection, member: &MemberId, label: &Label) -> Found<u32> {
    Ok(find(conn, member, label)?.map_or(0, |(_, connections)| connections))
}

fn find(conn: &Connection, member: &MemberId, label: &Label) -> Found<Option<(LabelId, u32)>> {
    let mut statement =
        conn.prepare_cached("select id, connections from label where member = ?1 and text = ?2")?;
    let mut rows = statement.query([member.as_str(), label.as_str()])?;
    let row = rows.next()?;
    row.map(|row| Ok((LabelId(codec::count(row, 0)?), codec::count(row, 1)?)))
        .transpose()
}

/// A page of the connections that have a label, newest first: as many rows are read as the page has lines.
pub(super) fn list<L>(
    conn: &Connection,
    member: &MemberId,
    label: &Label,
    part: Part<'_>,
    line: impl Fn(MemberId, Time) -> L,
) -> Found<ListPage<L>> {
    // Someone who is being erased has no row any more, but may have labels left.
    let found = match read_member(conn, member)? {
        Some(_) => find(conn, member, label)?,
        None => None,
    };
    let Some((id, total)) = found else {
        return Ok(no_page());
    };
    let ((time, other), later_than) = part.bounds();
    let mut statement = conn.prepare_cached(LABELLED)?;
    let rows = statement.query(params![
        member.as_str(),
        id.0,
        time,
        other,
        later_than,
        part.limit_and_one()
    ])?;
    read_page(rows, part.limit, total, line)
}

/// A page of the connections that have a label.
pub(super) const LABELLED: &str = "select other, connect_time from labelled
     where member = ?1 and label = ?2 and (connect_time, other) < (?3, ?4) and connect_time > ?5
     order by connect_time desc, other desc limit ?6";

/// What a member has noted, as it is read for the lines of a page.
pub(super) struct Notes<'a> {
    conn: &'a Connection,
    texts: Texts<'a>,
}

impl<'a> Notes<'a> {
    /// The notes of a member; `None` for one who has noted nothing, which is all that those pay for it.
    pub(super) fn of(conn: &'a Connection, member: &'a MemberId) -> Found<Option<Self>> {
        let any = conn
            .prepare_cached("select 1 from notebook where member = ?1 and annotations > 0")?
            .exists([member.as_str()])?;
        let texts = Texts::of(member);
        Ok(any.then_some(Self { conn, texts }))
    }

    /// What is noted about the connection of a line.
    pub(super) fn about(&mut self, line: &ConnectionLine) -> Found<Option<Noted>> {
        let mut statement = self.conn.prepare_cached(ANNOTATION)?;
        let mut rows = statement.query(params![
            self.texts.member.as_str(),
            line.connect_time.millis(),
            line.other.as_str()
        ])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let found = annotation(row)?;
        let mut labels = Vec::with_capacity(found.labels.len());
        for id in found.labels {
            labels.extend(self.texts.read(self.conn, id)?);
        }
        labels.sort();
        Ok(Some(Noted {
            labels,
            note: found.note,
        }))
    }
}

/// The labels that were met on a page, each read once.
struct Texts<'a> {
    member: &'a MemberId,
    /// `None`: deleted.
    met: HashMap<LabelId, Option<Label>>,
}

impl<'a> Texts<'a> {
    fn of(member: &'a MemberId) -> Self {
        Self {
            member,
            met: HashMap::new(),
        }
    }

    fn read(&mut self, conn: &Connection, id: LabelId) -> Found<Option<Label>> {
        if let Some(label) = self.met.get(&id) {
            return Ok(label.clone());
        }
        let text = conn
            .prepare_cached("select text from label where member = ?1 and id = ?2")?
            .query_row(params![self.member.as_str(), id.0], |row| row.get(0))
            .optional()?;
        let label = text.map(Label::stored);
        self.met.insert(id, label.clone());
        Ok(label)
    }
}

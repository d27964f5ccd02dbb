//! The table `invitation`: what each side keeps.

use std::sync::LazyLock;

use service_kit::{
    id::MemberId,
    postgres::{Columns, Failure, Kind, Row, Table, TableShape, Value, small},
    time::Time,
};
use uuid::Uuid;

use crate::{
    domain::{
        invitation::Place,
        note::{Note, Source},
        view::Entry,
    },
    store::codec,
};

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "invitation",
        key: &[
            ("member", Kind::Text),
            ("place", Kind::Small),
            ("invitation_id", Kind::Uuid),
        ],
        rest: &[
            ("other", Kind::Text),
            ("role", Kind::Small),
            ("shown", Kind::Small),
            ("note", Kind::Text),
            ("source", Kind::Text),
            ("create_time", Kind::Big),
            ("update_time", Kind::Big),
            ("expire_time", Kind::Big),
            ("connect_time", Kind::Big),
        ],
        versioned: false,
    })
});

/// The columns of an entry, in the order in which [`read`] reads them.
macro_rules! entry_columns {
    () => {
        "t.member, t.invitation_id, t.place, t.other, t.role, t.shown, t.note, t.source, t.create_time, t.update_time, t.expire_time,
             t.connect_time"
    };
}
pub(in crate::store::postgres) use entry_columns;

/// A member, an invitation's id and what the member keeps of it, from a row with the columns that [`entry_columns`] names.
pub(in crate::store::postgres) fn read(row: &Row) -> Result<((MemberId, Uuid), Entry), Failure> {
    let mut columns = Columns::new(row);
    let key = (columns.member_id()?, columns.uuid()?);
    let place = codec::place(columns.small()?)?;
    let entry = Entry {
        place,
        other: columns.member_id()?,
        role: codec::role(columns.small()?)?,
        shown: codec::shown(columns.small()?)?,
        note: Note::stored(columns.get()?),
        source: Source::stored(columns.get()?),
        create_time: columns.time()?,
        update_time: columns.time()?,
        expire_time: columns.time()?,
        connect_time: columns.optional_time()?,
    };
    Ok((key, entry))
}

/// The key of an entry that stands in a place, in the order of the table's columns.
pub(in crate::store::postgres) fn key<'a>(
    member: &'a MemberId,
    place: Place,
    id: &Uuid,
) -> Vec<Value<'a>> {
    vec![
        member.as_str().into(),
        small(codec::place_number(place)).into(),
        (*id).into(),
    ]
}

/// An entry's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values<'a>(
    member: &'a MemberId,
    id: &Uuid,
    entry: &'a Entry,
) -> Vec<Value<'a>> {
    let mut values = key(member, entry.place, id);
    values.extend([
        entry.other.as_str().into(),
        small(codec::role_number(entry.role)).into(),
        small(codec::shown_number(entry.shown)).into(),
        entry.note.as_str().into(),
        entry.source.as_str().into(),
        entry.create_time.millis().into(),
        entry.update_time.millis().into(),
        entry.expire_time.millis().into(),
        entry.connect_time.map(Time::millis).into(),
    ]);
    values
}

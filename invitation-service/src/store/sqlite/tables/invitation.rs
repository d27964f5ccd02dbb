//! The rows of the view `invitation`: what each side keeps.

use rusqlite::{Connection, Row, params};
use service_kit::{error::StoreError, id::MemberId, time::Time};
use uuid::Uuid;

use super::super::codec::{self, Columns};
use crate::domain::{
    invitation::Place,
    note::{Note, Source},
    view::Entry,
};

/// The columns of an entry, in the order in which [`read_entry`] reads them.
macro_rules! entry_columns {
    () => {
        "invitation_id, other, role, place, shown, note, source, create_time, update_time, expire_time, connect_time"
    };
}
pub(in crate::store::sqlite) use entry_columns;

/// The query for an entry in one place.
macro_rules! entry_at {
    ($place:literal) => {
        concat!(
            "select ",
            entry_columns!(),
            " from invitation where member = ?1 and place = ",
            $place,
            " and invitation_id = ?2"
        )
    };
}

/// What a member keeps of an invitation, wherever it stands.
pub(in crate::store::sqlite) fn load_entry(
    conn: &Connection,
    member: &MemberId,
    id: &Uuid,
) -> Result<Option<Entry>, StoreError> {
    // One look for each place, until it is found.
    let mut statement = conn.prepare_cached(concat!(
        entry_at!(1),
        " union all ",
        entry_at!(0),
        " union all ",
        entry_at!(5),
        " union all ",
        entry_at!(2),
        " union all ",
        entry_at!(3),
        " union all ",
        entry_at!(4),
        " limit 1",
    ))?;
    let mut rows = statement.query(params![member.as_str(), id.as_bytes()])?;
    let row = rows.next()?;
    Ok(row.map(read_entry).transpose()?.map(|(_, entry)| entry))
}

/// An invitation's id and an entry, from a row with the columns that [`entry_columns`] names.
pub(in crate::store::sqlite) fn read_entry(row: &Row<'_>) -> Result<(Uuid, Entry), StoreError> {
    let mut columns = Columns::new(row);
    let id = columns.uuid()?;
    let entry = Entry {
        other: columns.member_id()?,
        role: codec::role(columns.get()?)?,
        place: codec::place(columns.get()?)?,
        shown: codec::shown(columns.get()?)?,
        note: Note::stored(columns.get()?),
        source: Source::stored(columns.get()?),
        create_time: columns.time()?,
        update_time: columns.time()?,
        expire_time: columns.time()?,
        connect_time: columns.optional_time()?,
    };
    Ok((id, entry))
}

/// Saves an entry. `was_at`: where it stood before, if anywhere.
pub(in crate::store::sqlite) fn save_entry(
    conn: &Connection,
    member: &MemberId,
    id: &Uuid,
    was_at: Option<Place>,
    entry: Option<&Entry>,
) -> Result<(), StoreError> {
    if let Some(was_at) = was_at.filter(|was_at| entry.is_none_or(|entry| entry.place != *was_at)) {
        conn.prepare_cached("delete from of_member where member = ?1 and kind = ?2 and key = ?3")?
            .execute(params![
                member.as_str(),
                codec::place_number(was_at),
                id.as_bytes()
            ])?;
    }
    let Some(entry) = entry else { return Ok(()) };
    conn.prepare_cached(
        "insert or replace into of_member (member, kind, key, c1, c2, c3, c4, c5, c6, c7, c8, c9)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        member.as_str(),
        codec::place_number(entry.place),
        id.as_bytes(),
        entry.other.as_str(),
        codec::role_number(entry.role),
        codec::shown_number(entry.shown),
        entry.note.as_str(),
        entry.source.as_str(),
        entry.create_time.millis(),
        entry.update_time.millis(),
        entry.expire_time.millis(),
        entry.connect_time.map(Time::millis),
    ])?;
    Ok(())
}

//! The table `invitation`: what each side keeps.

use rusqlite::{Connection, Row, params};
use service_kit::{error::StoreError, id::MemberId, time::Time};
use uuid::Uuid;

use super::super::codec;
use crate::domain::{
    invitation::Place,
    note::{Note, Source},
    view::Entry,
};

/// What a member keeps of an invitation, wherever it stands.
pub(in crate::store::sqlite) fn load_entry(
    conn: &Connection,
    member: &MemberId,
    id: &Uuid,
) -> Result<Option<Entry>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select * from invitation where member = ?1 and place in (0, 1, 2, 3, 4, 5) and invitation_id = ?2",
    )?;
    let mut rows = statement.query(params![member.as_str(), id.as_bytes()])?;
    rows.next()?.map(read_entry).transpose()
}

/// An entry from a row of the table `invitation`.
pub(in crate::store::sqlite) fn read_entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        other: codec::member_id(
            row.get_ref("other")?
                .as_str()
                .map_err(rusqlite::Error::from)?,
        )?,
        role: codec::role(row.get("role")?)?,
        place: codec::place(row.get("place")?)?,
        shown: codec::shown(row.get("shown")?)?,
        note: Note::stored(row.get("note")?),
        source: Source::stored(row.get("source")?),
        create_time: codec::time(row, "create_time")?,
        update_time: codec::time(row, "update_time")?,
        expire_time: codec::time(row, "expire_time")?,
        connect_time: codec::optional_time(row, "connect_time")?,
    })
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
        conn.prepare_cached(
            "delete from invitation where member = ?1 and place = ?2 and invitation_id = ?3",
        )?
        .execute(params![
            member.as_str(),
            codec::place_number(was_at),
            id.as_bytes()
        ])?;
    }
    let Some(entry) = entry else { return Ok(()) };
    conn.prepare_cached(
        "insert or replace into invitation (member, place, invitation_id, other, role, shown, note, source, create_time, update_time,
             expire_time, connect_time)
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

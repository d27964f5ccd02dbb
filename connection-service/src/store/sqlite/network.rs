//! Ties, and whom members do not want suggested.
//!
//! Deliberately absent: searches over ties (see `store::network`).

use rusqlite::{Connection, params};
use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey};
use service_kit::time::Time;

use super::rows::SqliteRows;
use super::{codec, read_pair, reads};
use crate::domain::network::Tie;
use crate::store::Line;
use crate::store::dismissals::DismissalRows;
use crate::store::lists::place_after;
use crate::store::network::Ties;

type Found<T> = Result<T, StoreError>;

/// Ties as a snapshot has them.
pub(super) struct SqliteTies<'c>(pub(super) &'c Connection);

impl Ties for SqliteTies<'_> {
    fn connections(&self, member: &MemberId, limit: u32) -> Found<Vec<MemberId>> {
        if reads::is_being_erased(self.0, member)? {
            return Ok(Vec::new());
        }
        // Few are being erased at a time, if anybody is.
        let mut statement = self.0.prepare_cached(
            "select other from connection where member = ?1
                 and other not in (select member from erasure where stage = 1) limit ?2",
        )?;
        let mut rows = statement.query(params![member.as_str(), limit])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(codec::member_id(row, 0)?);
        }
        Ok(found)
    }

    fn tie(&self, one: &MemberId, other: &MemberId) -> Found<Tie> {
        let key = PairKey::new(one, other);
        let key = key.ok_or_else(|| StoreError::internal("nobody has a tie with themselves"))?;
        let tie = Tie::of(&read_pair(self.0, &key)?.facts());
        let erased = tie != Tie::None
            && (reads::is_being_erased(self.0, one)? || reads::is_being_erased(self.0, other)?);
        Ok(if erased { Tie::None } else { tie })
    }
}

/// Whom a member does not want suggested.
pub(super) fn dismissals(conn: &Connection, member: &MemberId) -> Found<Vec<MemberId>> {
    let mut statement = conn.prepare_cached("select other from dismissal where member = ?1")?;
    let mut rows = statement.query([member.as_str()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(codec::member_id(row, 0)?);
    }
    Ok(found)
}

/// Up to `limit` of them, newest first, after a line.
pub(super) fn dismissed(
    conn: &Connection,
    member: &MemberId,
    after: Option<&Line>,
    limit: u32,
) -> Found<Vec<Line>> {
    let mut statement = conn.prepare_cached(
        "select other, time from dismissal where member = ?1 and (time, other) < (?2, ?3)
         order by time desc, other desc limit ?4",
    )?;
    let (time, other) = place_after(after);
    let mut rows = statement.query(params![member.as_str(), time, other, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Line {
            other: codec::member_id(row, 0)?,
            time: codec::time(row, 1)?,
        });
    }
    Ok(found)
}

impl DismissalRows for SqliteRows {
    fn dismiss(&mut self, member: &MemberId, other: &MemberId, time: Time) -> Found<bool> {
        let inserted = self.change(
            "insert or ignore into dismissal (member, other, time) values (?1, ?2, ?3)",
            params![member.as_str(), other.as_str(), time.millis()],
        )?;
        Ok(inserted > 0)
    }

    fn bound_dismissals(&mut self, member: &MemberId, dismissals_max: u32) -> Found<()> {
        self.change(
            "delete from dismissal where member = ?1 and other in
                 (select other from dismissal where member = ?1 order by time desc, other limit -1 offset ?2)",
            params![member.as_str(), dismissals_max],
        )?;
        Ok(())
    }

    fn delete_dismissals(&mut self, member: &MemberId, limit: u32) -> Found<u32> {
        let deleted = self.change(
            "delete from dismissal where (member, other) in
                 (select member, other from dismissal where member = ?1 or other = ?1 limit ?2)",
            params![member.as_str(), limit],
        )?;
        u32::try_from(deleted).map_err(StoreError::internal)
    }
}

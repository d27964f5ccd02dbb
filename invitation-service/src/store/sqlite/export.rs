//! What is read to export a member.
//!
//! Deliberately absent: what their lists, figures and preferences are read for too (see `reads`).

use rusqlite::{Connection, params};
use service_kit::{error::StoreError, id::MemberId, secret::StoreSecret, time::Time};
use uuid::Uuid;

use super::{
    batch::erased_hash,
    codec,
    reads::{limit_number, seen_until},
    tables::{self, entry_columns},
};
use crate::{
    domain::{invitation::Place, policy::Policy, view::View},
    store::reading::kept_views,
};

/// Whether the member was erased, or is being erased.
pub(super) fn is_erased(
    conn: &Connection,
    secret: &StoreSecret,
    member: &MemberId,
) -> Result<bool, StoreError> {
    // Until the erasure is done there is a row that says so.
    match tables::load_member(conn, member)? {
        Some(row) => Ok(row.erased),
        None => tables::is_erased(conn, &erased_hash(secret, member)),
    }
}

/// Up to `limit` of the invitations that a member keeps, in the order of their ids, from after one; and whether more may follow.
pub(super) fn invitations(
    conn: &Connection,
    policy: &Policy,
    now: Time,
    member: &MemberId,
    after: Option<Uuid>,
    limit: usize,
) -> Result<(Vec<View>, Option<Uuid>), StoreError> {
    let seen_until = seen_until(conn, member)?;
    let after = after.unwrap_or_default();
    let mut statement = conn.prepare_cached(concat!(
        "select ",
        entry_columns!(),
        " from invitation where member = ?1 and place = ?2 and invitation_id > ?3 order by invitation_id limit ?4"
    ))?;
    let mut kept = Vec::new();
    for place in Place::ALL {
        let (member, place) = (member.as_str(), codec::place_number(place));
        let limit = limit_number(limit);
        let mut rows = statement.query(params![member, place, after.as_bytes(), limit])?;
        while let Some(row) = rows.next()? {
            kept.push(tables::read_entry(row)?);
        }
    }
    Ok(kept_views(member, &seen_until, kept, limit, policy, now))
}

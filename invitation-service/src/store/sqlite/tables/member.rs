//! The tables `member`, `member_due` and `erased`.

use rusqlite::{Connection, params};
use service_kit::{error::StoreError, id::MemberId, time::Time};

use super::super::codec;
use crate::domain::member::{Member, Preferences};

/// A member's row; `None` where there is none.
pub(in crate::store::sqlite) fn load_member(
    conn: &Connection,
    id: &MemberId,
) -> Result<Option<Member>, StoreError> {
    let mut statement = conn.prepare_cached("select * from member where member = ?1")?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let days: Option<i64> = row.get("auto_withdraw_days")?;
    let days = days
        .map(|days| {
            u16::try_from(days).map_err(|_| StoreError::corrupt("a number of days out of range"))
        })
        .transpose()?;
    Ok(Some(Member {
        id: id.clone(),
        erased: row.get("erased")?,
        sent_pending: codec::count(row.get("sent_pending")?)?,
        received_pending: codec::count(row.get("received_pending")?)?,
        received_unseen: codec::count(row.get("received_unseen")?)?,
        filtered_pending: codec::count(row.get("filtered_pending")?)?,
        connections: codec::count(row.get("connections")?)?,
        charges: codec::log(
            row.get_ref("charges")?
                .as_blob()
                .map_err(rusqlite::Error::from)?,
        )?,
        probes: codec::log(
            row.get_ref("probes")?
                .as_blob()
                .map_err(rusqlite::Error::from)?,
        )?,
        preferences: Preferences {
            who_can_invite: codec::who_can_invite(row.get("who_can_invite")?)?,
            auto_withdraw_days: days,
        },
        seen_until: codec::uuid(
            row.get_ref("seen_until")?
                .as_blob()
                .map_err(rusqlite::Error::from)?,
        )?,
        auto_withdraw_at: codec::optional_time(row, "auto_withdraw_due")?,
        last_event: codec::link(row.get("last_event")?)?,
    }))
}

/// Saves a member's row. `was_due`: when their auto-withdrawal was due.
pub(in crate::store::sqlite) fn save_member(
    conn: &Connection,
    member: &Member,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "insert or replace into member (member, erased, sent_pending, received_pending, received_unseen, filtered_pending, connections,
             charges, probes, who_can_invite, auto_withdraw_days, auto_withdraw_due, seen_until, last_event)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        member.id.as_str(),
        member.erased,
        member.sent_pending,
        member.received_pending,
        member.received_unseen,
        member.filtered_pending,
        member.connections,
        codec::log_bytes(&member.charges),
        codec::log_bytes(&member.probes),
        codec::who_can_invite_number(member.preferences.who_can_invite),
        member.preferences.auto_withdraw_days,
        member.auto_withdraw_at.map(Time::millis),
        member.seen_until.as_bytes(),
        codec::link_number(member.last_event),
    ])?;
    save_member_due(conn, &member.id, was_due, member.auto_withdraw_at)
}

/// Deletes a member's row and remembered requests.
pub(in crate::store::sqlite) fn delete_member(
    conn: &Connection,
    id: &MemberId,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    conn.prepare_cached("delete from member where member = ?1")?
        .execute([id.as_str()])?;
    conn.prepare_cached("delete from request where inviter = ?1")?
        .execute([id.as_str()])?;
    save_member_due(conn, id, was_due, None)
}

fn save_member_due(
    conn: &Connection,
    id: &MemberId,
    was: Option<Time>,
    is: Option<Time>,
) -> Result<(), StoreError> {
    if was == is {
        return Ok(());
    }
    if let Some(was) = was {
        conn.prepare_cached("delete from member_due where due = ?1 and member = ?2")?
            .execute(params![was.millis(), id.as_str()])?;
    }
    if let Some(is) = is {
        conn.prepare_cached("insert or replace into member_due (due, member) values (?1, ?2)")?
            .execute(params![is.millis(), id.as_str()])?;
    }
    Ok(())
}

/// Whether an id was erased, by its keyed hash.
pub(in crate::store::sqlite) fn is_erased(
    conn: &Connection,
    hash: &[u8; 16],
) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("select 1 from erased where member_hash = ?1")?
        .exists([hash])?)
}

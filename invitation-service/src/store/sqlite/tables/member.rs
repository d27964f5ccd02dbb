//! The rows of the view `member`, and the tables `member_due` and `erased`.

use rusqlite::{Connection, params};
use service_kit::{error::StoreError, id::MemberId, time::Time};

use super::{
    super::codec::{self, Columns},
    act::blank_acts,
};
use crate::domain::member::{Member, Preferences};

/// A member's row; `None` where there is none.
pub(in crate::store::sqlite) fn load_member(
    conn: &Connection,
    id: &MemberId,
) -> Result<Option<Member>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select erased, sent_pending, received_pending, received_unseen, filtered_pending, connections, charges, probes,
             who_can_invite, auto_withdraw_days, auto_withdraw_due, seen_until, last_event, plan, standing
         from member where member = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut columns = Columns::new(row);
    Ok(Some(Member {
        id: id.clone(),
        erased: columns.get()?,
        sent_pending: columns.count()?,
        received_pending: columns.count()?,
        received_unseen: columns.count()?,
        filtered_pending: columns.count()?,
        connections: columns.count()?,
        charges: codec::log(columns.bytes()?)?,
        probes: codec::log(columns.bytes()?)?,
        preferences: Preferences {
            who_can_invite: codec::who_can_invite(columns.get()?)?,
            auto_withdraw_days: days(columns.get()?)?,
        },
        auto_withdraw_at: columns.optional_time()?,
        seen_until: columns.uuid()?,
        last_event: codec::link(columns.get()?)?,
        plan: columns.get()?,
        standing: columns.standing()?,
    }))
}

fn days(days: Option<i64>) -> Result<Option<u16>, StoreError> {
    days.map(|days| {
        u16::try_from(days).map_err(|_| StoreError::corrupt("a number of days out of range"))
    })
    .transpose()
}

/// Saves a member's row. `was_due`: when their auto-withdrawal was due.
pub(in crate::store::sqlite) fn save_member(
    conn: &Connection,
    member: &Member,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "insert or replace into of_member (member, kind, key, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15)
         values (?1, -1, '', ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
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
        member.plan,
        codec::standing_bytes(&member.standing)?,
    ])?;
    save_member_due(conn, &member.id, was_due, member.auto_withdraw_at)
}

/// Deletes a member's row and remembered requests, and the name in acts of operators.
pub(in crate::store::sqlite) fn delete_member(
    conn: &Connection,
    id: &MemberId,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    conn.prepare_cached("delete from of_member where member = ?1 and kind = -1 and key = ''")?
        .execute([id.as_str()])?;
    conn.prepare_cached("delete from of_member where member = ?1 and kind = 9")?
        .execute([id.as_str()])?;
    blank_acts(conn, id)?;
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

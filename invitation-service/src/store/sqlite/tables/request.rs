//! The rows of the view `request` and of the table `withdraw_cooldown`: what is remembered for a time, for the caller's sake and for the invitee's.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use service_kit::{error::StoreError, id::MemberId, time::Time};
use uuid::Uuid;

use super::super::codec::{self, Columns};
use crate::{
    domain::member::Quota,
    store::{codec::OutcomeColumns, rows::Remembered},
};

/// What a request id was answered with.
pub(in crate::store::sqlite) fn load_remembered(
    conn: &Connection,
    inviter: &MemberId,
    request_id: &Uuid,
) -> Result<Option<Remembered>, StoreError> {
    let mut statement =
        conn.prepare_cached(
            "select content, time, invitation_id, outcome, expire_time, connect_time, create_time, weekly_cap, used,
                 next_place_time, pending_sent, pending_cap
             from request where inviter = ?1 and request_id = ?2",
        )?;
    let mut rows = statement.query(params![inviter.as_str(), request_id.as_bytes()])?;
    rows.next()?.map(read_remembered).transpose()
}

fn read_remembered(row: &Row<'_>) -> Result<Remembered, StoreError> {
    let mut columns = Columns::new(row);
    let content = codec::hash(columns.bytes()?)?;
    let time = columns.time()?;
    let invitation_id = columns.uuid()?;
    let outcome = OutcomeColumns {
        outcome: columns.get()?,
        expire_time: columns.optional_time()?,
        connect_time: columns.optional_time()?,
        create_time: columns.optional_time()?,
    };
    let outcome = outcome.read()?;
    let (weekly_cap, used) = (columns.count()?, columns.count()?);
    Ok(Remembered {
        content,
        time,
        invitation_id,
        outcome,
        quota: Quota {
            weekly_cap,
            used,
            remaining: weekly_cap.saturating_sub(used),
            next_place_time: columns.optional_time()?,
            pending_sent: columns.count()?,
            pending_cap: columns.count()?,
        },
    })
}

/// Saves what a request id was answered with, or deletes it.
pub(in crate::store::sqlite) fn save_remembered(
    conn: &Connection,
    inviter: &MemberId,
    request_id: &Uuid,
    remembered: Option<&Remembered>,
) -> Result<(), StoreError> {
    let Some(remembered) = remembered else {
        conn.prepare_cached("delete from of_member where member = ?1 and kind = 9 and key = ?2")?
            .execute(params![inviter.as_str(), request_id.as_bytes()])?;
        return Ok(());
    };
    let answered = OutcomeColumns::of(&remembered.outcome);
    conn.prepare_cached(
        "insert or replace into of_member (member, kind, key, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12)
         values (?1, 9, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        inviter.as_str(),
        request_id.as_bytes(),
        remembered.content,
        remembered.time.millis(),
        remembered.invitation_id.as_bytes(),
        answered.outcome,
        answered.expire_time.map(Time::millis),
        answered.connect_time.map(Time::millis),
        answered.create_time.map(Time::millis),
        remembered.quota.weekly_cap,
        remembered.quota.used,
        remembered.quota.next_place_time.map(Time::millis),
        remembered.quota.pending_sent,
        remembered.quota.pending_cap,
    ])?;
    Ok(())
}

/// Until when a cool-down stands.
pub(in crate::store::sqlite) fn load_cooldown(
    conn: &Connection,
    ordered_pair: &[u8; 16],
) -> Result<Option<Time>, StoreError> {
    let until = conn
        .prepare_cached("select until from withdraw_cooldown where ordered_pair = ?1")?
        .query_row([ordered_pair], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(until.map(Time::from_millis))
}

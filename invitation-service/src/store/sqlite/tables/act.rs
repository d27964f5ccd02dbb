//! The table `standing_act`.

use rusqlite::{Connection, OptionalExtension as _, params};
use service_kit::{error::StoreError, id::MemberId, time::Time};
use uuid::Uuid;

use super::super::codec::{self, Columns};
use crate::{
    domain::act::Act,
    store::{RecordedAct, rows::StandingAct},
};

/// The number of each kind of act; they never change.
const PLAN: i64 = 0;
const WEEKLY_CAP: i64 = 1;
const RESTRICT: i64 = 2;
const LIFT_RESTRICTION: i64 = 3;
const CLEAR_FLAGS: i64 = 4;

/// Appends an act.
pub(in crate::store::sqlite) fn append_act(
    conn: &Connection,
    now: Time,
    act: &StandingAct,
) -> Result<(), StoreError> {
    let (kind, plan, weekly_cap, until) = match &act.act {
        Act::Plan(plan) => (PLAN, Some(plan), None, None),
        Act::WeeklyCap(cap) => (WEEKLY_CAP, None, *cap, None),
        Act::Restrict(until) => (RESTRICT, None, None, Some(until.millis())),
        Act::LiftRestriction => (LIFT_RESTRICTION, None, None, None),
        Act::ClearFlags => (CLEAR_FLAGS, None, None, None),
    };
    conn.prepare_cached(
        "insert into standing_act (time, author, request_id, member, kind, plan, weekly_cap, until)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        now.millis(),
        act.author,
        act.request_id.as_ref().map(Uuid::as_bytes),
        act.member.as_str(),
        kind,
        plan,
        weekly_cap,
        until,
    ])?;
    Ok(())
}

/// Takes a member's name out of the acts that concern them.
pub(in crate::store::sqlite) fn blank_acts(
    conn: &Connection,
    member: &MemberId,
) -> Result<(), StoreError> {
    conn.prepare_cached("update standing_act set member = null where member = ?1")?
        .execute([member.as_str()])?;
    Ok(())
}

/// Whom an operator's request concerned, and what was done.
pub(in crate::store::sqlite) fn act_of_request(
    conn: &Connection,
    author: &str,
    request_id: &Uuid,
) -> Result<Option<(Option<MemberId>, Act)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select member, kind, plan, weekly_cap, until from standing_act where request_id = ?1 and author = ?2",
    )?;
    let mut rows = statement.query(params![request_id.as_bytes(), author])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let mut columns = Columns::new(row);
    Ok(Some((columns.optional_member_id()?, act(&mut columns)?)))
}

/// The acts before one of this number (if given), newest first: of a member, or of all.
pub(in crate::store::sqlite) fn acts(
    conn: &Connection,
    member: Option<&MemberId>,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<RecordedAct>, StoreError> {
    let columns =
        "select number, time, author, member, kind, plan, weekly_cap, until from standing_act";
    let of = if member.is_some() {
        "member = ?3"
    } else {
        "?3 is null"
    };
    let mut statement = conn.prepare_cached(&format!(
        "{columns} where number < ?1 and {of} order by number desc limit ?2"
    ))?;
    let before = before.map_or(i64::MAX, codec::position_number);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![before, limit, member.map(MemberId::as_str)])?;
    let mut acts = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::new(row);
        acts.push(RecordedAct {
            number: columns.position()?,
            time: columns.time()?,
            author: columns.get()?,
            member: columns.optional_member_id()?,
            act: act(&mut columns)?,
        });
    }
    Ok(acts)
}

fn act(columns: &mut Columns<'_>) -> Result<Act, StoreError> {
    let kind: i64 = columns.get()?;
    let plan: Option<String> = columns.get()?;
    let weekly_cap: Option<u32> = columns.get()?;
    let until = columns.optional_time()?;
    let without = || StoreError::corrupt("an act without what was done");
    Ok(match kind {
        PLAN => Act::Plan(plan.ok_or_else(without)?),
        WEEKLY_CAP => Act::WeeklyCap(weekly_cap),
        RESTRICT => Act::Restrict(until.ok_or_else(without)?),
        LIFT_RESTRICTION => Act::LiftRestriction,
        CLEAR_FLAGS => Act::ClearFlags,
        _ => return Err(StoreError::corrupt("no such act")),
    })
}

/// Every plan that was ever assigned, in order. Goes from one name to the next, so it does not matter how many acts there are.
pub(in crate::store::sqlite) fn assigned_plans(
    conn: &Connection,
) -> Result<Vec<String>, StoreError> {
    let mut next =
        conn.prepare("select plan from standing_act where plan > ?1 order by plan limit 1")?;
    let mut plans = Vec::new();
    let mut last = String::new();
    while let Some(plan) = next
        .query_row([&last], |row| row.get::<_, String>(0))
        .optional()?
    {
        plans.push(plan.clone());
        last = plan;
    }
    Ok(plans)
}

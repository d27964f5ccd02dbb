//! The table `standing_act`.

use rusqlite::{Connection, OptionalExtension as _, params};
use service_kit::{error::StoreError, id::MemberId, time::Time};

use crate::store::rows::PlanAct;

/// Appends an act.
pub(in crate::store::sqlite) fn append_act(
    conn: &Connection,
    now: Time,
    act: &PlanAct,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "insert into standing_act (time, author, member, plan) values (?1, ?2, ?3, ?4)",
    )?
    .execute(params![
        now.millis(),
        act.author,
        act.member.as_str(),
        act.plan
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

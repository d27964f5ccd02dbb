//! The tables `pair` and `pair_due`, and `bar`, which is written with the pair.

use rusqlite::{Connection, Row, params};
use service_kit::{
    error::StoreError,
    id::{PairKey, Side, Sides},
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use super::super::codec;
use crate::domain::{
    invitation::Invitation,
    pair::{self, Facts, Live, Pair},
};

/// A pair's row and when it is due; `None` where there is no row.
pub(in crate::store::sqlite) fn load_pair(
    conn: &Connection,
    key: &PairKey,
) -> Result<Option<(Pair, Option<Time>)>, StoreError> {
    let mut statement = conn.prepare_cached("select * from pair where low = ?1 and high = ?2")?;
    let mut rows = statement.query(params![key.low().as_str(), key.high().as_str()])?;
    rows.next()?.map(|row| read_pair(key, row)).transpose()
}

fn read_pair(key: &PairKey, row: &Row<'_>) -> Result<(Pair, Option<Time>), StoreError> {
    let mut pair = Pair::new(key.clone());
    if let Some(id) = codec::optional_uuid(row.get("invitation_id")?)? {
        let invitation = Invitation {
            id,
            inviter: codec::side(row.get("inviter")?)?,
            filtered: row.get("filtered")?,
            create_time: codec::time(row, "create_time")?,
            expire_time: codec::time(row, "expire_time")?,
            decided_at: codec::position(row.get("decided_at")?)?,
            acceptances: codec::count(row.get("acceptances")?)?,
            last_event: codec::position(row.get("last_event")?)?,
        };
        let acceptance = match codec::optional_time(row, "accept_time")? {
            None => None,
            Some(time) => Some(pair::Acceptance {
                time,
                attempts: codec::count(row.get("accept_attempts")?)?,
                next_attempt: codec::time(row, "accept_next_attempt")?,
                request_id: codec::optional_uuid(row.get("accept_request_id")?)?,
                trace: codec::optional_trace(row.get("accept_trace")?)?,
                overtaken: row.get("accept_overtaken")?,
            }),
        };
        pair.live = Some(Live {
            invitation,
            acceptance,
        });
    }
    let connection = match codec::optional_time(row, "connect_time")? {
        None => None,
        Some(connect_time) => Some(pair::Connection {
            connect_time,
            invitation_id: codec::optional_uuid(row.get("connect_invitation_id")?)?,
        }),
    };
    pair.facts = Facts {
        connection,
        blocked_by: Sides {
            low: row.get("blocked_by_low")?,
            high: row.get("blocked_by_high")?,
        },
    };
    pair.facts_position = codec::position(row.get("facts_position")?)?;
    codec::read_remains(
        &mut pair,
        row.get_ref("remains")?
            .as_str_or_null()
            .map_err(rusqlite::Error::from)?,
    )?;
    Ok((pair, codec::optional_time(row, "due")?))
}

/// Saves a pair's row. `was_due`, `due`: when it was and is due.
pub(in crate::store::sqlite) fn save_pair(
    conn: &Connection,
    pair: &Pair,
    was_due: Option<Time>,
    due: Option<Time>,
) -> Result<(), StoreError> {
    let (low, high) = (pair.key.low().as_str(), pair.key.high().as_str());
    let invitation = pair.live.as_ref().map(|live| &live.invitation);
    let acceptance = pair.live.as_ref().and_then(|live| live.acceptance.as_ref());
    let connection = pair.facts.connection.as_ref();
    conn.prepare_cached(
        "insert or replace into pair (low, high, invitation_id, inviter, filtered, create_time, expire_time, decided_at, acceptances,
             last_event, accept_time, accept_attempts, accept_next_attempt, accept_request_id, accept_overtaken, connect_time, connect_invitation_id,
             blocked_by_low, blocked_by_high, facts_position, remains, due, accept_trace)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
    )?
    .execute(params![
        low,
        high,
        invitation.map(|i| i.id.as_bytes()),
        invitation.map(|i| codec::side_number(i.inviter)),
        invitation.map(|i| i.filtered),
        invitation.map(|i| i.create_time.millis()),
        invitation.map(|i| i.expire_time.millis()),
        invitation.map(|i| codec::position_number(i.decided_at)),
        invitation.map(|i| i.acceptances),
        invitation.map(|i| codec::position_number(i.last_event)),
        acceptance.map(|a| a.time.millis()),
        acceptance.map(|a| a.attempts),
        acceptance.map(|a| a.next_attempt.millis()),
        acceptance.and_then(|a| a.request_id).map(Uuid::into_bytes),
        acceptance.map(|a| a.overtaken),
        connection.map(|c| c.connect_time.millis()),
        connection.and_then(|c| c.invitation_id).map(Uuid::into_bytes),
        pair.facts.blocked_by.low,
        pair.facts.blocked_by.high,
        codec::position_number(pair.facts_position),
        codec::remains_text(pair)?,
        due.map(Time::millis),
        acceptance.and_then(|a| a.trace).map(TraceContext::to_bytes),
    ])?;
    save_due(conn, &pair.key, was_due, due)
}

/// Deletes a pair's row.
pub(in crate::store::sqlite) fn delete_pair(
    conn: &Connection,
    key: &PairKey,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    conn.prepare_cached("delete from pair where low = ?1 and high = ?2")?
        .execute(params![key.low().as_str(), key.high().as_str()])?;
    save_due(conn, key, was_due, None)
}

fn save_due(
    conn: &Connection,
    key: &PairKey,
    was: Option<Time>,
    is: Option<Time>,
) -> Result<(), StoreError> {
    if was == is {
        return Ok(());
    }
    let (low, high) = (key.low().as_str(), key.high().as_str());
    if let Some(was) = was {
        conn.prepare_cached("delete from pair_due where due = ?1 and low = ?2 and high = ?3")?
            .execute(params![was.millis(), low, high])?;
    }
    if let Some(is) = is {
        conn.prepare_cached(
            "insert or replace into pair_due (due, low, high) values (?1, ?2, ?3)",
        )?
        .execute(params![is.millis(), low, high])?;
    }
    Ok(())
}

/// Makes the list of a member's bars say what the pair says.
pub(in crate::store::sqlite) fn save_bars(
    conn: &Connection,
    before: &Pair,
    after: &Pair,
) -> Result<(), StoreError> {
    for side in Side::BOTH {
        let (was, is) = (before.bars.get(side), after.bars.get(side));
        if was == is {
            continue;
        }
        let (member, inviter) = (
            after.key.member(side.other()).as_str(),
            after.key.member(side).as_str(),
        );
        match is {
            Some(bar) => conn
                .prepare_cached("insert or replace into bar (member, inviter, reason, bar_time) values (?1, ?2, ?3, ?4)")?
                .execute(params![member, inviter, codec::reason_number(bar.reason), bar.time.millis()])?,
            None => conn
                .prepare_cached("delete from bar where member = ?1 and inviter = ?2")?
                .execute(params![member, inviter])?,
        };
    }
    Ok(())
}

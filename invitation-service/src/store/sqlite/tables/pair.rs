//! The rows of the view `pair`, with what follows from them: `pair_of_high`, `bar` and the table `pair_due`.

use rusqlite::{CachedStatement, Connection, Row, params};
use service_kit::{
    error::StoreError,
    id::{PairKey, Side, Sides},
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use super::super::codec::{self, Columns};
use crate::domain::{
    invitation::Invitation,
    pair::{self, Live, Pair},
};

/// The columns of a live invitation and of its acceptance, in the order in which [`read_live`] reads them.
macro_rules! live_columns {
    () => {
        "invitation_id, inviter, filtered, create_time, expire_time, decided_at, acceptances, last_event, accept_time,
             accept_attempts, accept_next_attempt, accept_request_id, accept_trace, accept_overtaken"
    };
}

/// Looks many pairs up for what is live between them.
pub(in crate::store::sqlite) struct LivePairs<'c>(CachedStatement<'c>);

impl<'c> LivePairs<'c> {
    /// With one statement for all of them.
    pub(in crate::store::sqlite) fn prepare(conn: &'c Connection) -> Result<Self, StoreError> {
        let statement = conn.prepare_cached(concat!(
            "select ",
            live_columns!(),
            " from pair where low = ?1 and high = ?2 and invitation_id is not null"
        ))?;
        Ok(Self(statement))
    }

    /// What is live between two members.
    pub(in crate::store::sqlite) fn load(
        &mut self,
        key: &PairKey,
    ) -> Result<Option<Live>, StoreError> {
        let mut rows = self.0.query([key.low().as_str(), key.high().as_str()])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        read_live(&mut Columns::new(row))
    }
}

/// A pair's row and when it is due; `None` where there is no row.
pub(in crate::store::sqlite) fn load_pair(
    conn: &Connection,
    key: &PairKey,
) -> Result<Option<(Pair, Option<Time>)>, StoreError> {
    let mut statement = conn.prepare_cached(concat!(
        "select ",
        live_columns!(),
        ", connect_time, connect_invitation_id, blocked_by_low, blocked_by_high, facts_position, remains, due
         from pair where low = ?1 and high = ?2",
    ))?;
    let mut rows = statement.query(params![key.low().as_str(), key.high().as_str()])?;
    rows.next()?.map(|row| read_pair(key, row)).transpose()
}

fn read_pair(key: &PairKey, row: &Row<'_>) -> Result<(Pair, Option<Time>), StoreError> {
    let mut pair = Pair::new(key.clone());
    let mut columns = Columns::new(row);
    pair.live = read_live(&mut columns)?;
    pair.facts.connection = match (columns.optional_time()?, columns.optional_uuid()?) {
        (None, _) => None,
        (Some(connect_time), invitation_id) => Some(pair::Connection {
            connect_time,
            invitation_id,
        }),
    };
    pair.facts.blocked_by = Sides {
        low: columns.get()?,
        high: columns.get()?,
    };
    pair.facts_position = columns.position()?;
    codec::read_remains(&mut pair, columns.optional_text()?)?;
    Ok((pair, columns.optional_time()?))
}

/// The columns of the live invitation and of its acceptance, which are null together.
fn read_live(columns: &mut Columns<'_>) -> Result<Option<Live>, StoreError> {
    let Some(id) = columns.optional_uuid()? else {
        columns.skip(13);
        return Ok(None);
    };
    let invitation = Invitation {
        id,
        inviter: codec::side(columns.get()?)?,
        filtered: columns.get()?,
        create_time: columns.time()?,
        expire_time: columns.time()?,
        decided_at: columns.position()?,
        acceptances: columns.count()?,
        last_event: columns.position()?,
    };
    let Some(time) = columns.optional_time()? else {
        columns.skip(5);
        return Ok(Some(Live {
            invitation,
            acceptance: None,
        }));
    };
    let acceptance = pair::Acceptance {
        time,
        attempts: columns.count()?,
        next_attempt: columns.time()?,
        request_id: columns.optional_uuid()?,
        trace: columns.optional_trace()?,
        overtaken: columns.get()?,
    };
    Ok(Some(Live {
        invitation,
        acceptance: Some(acceptance),
    }))
}

/// Saves a pair's row. `is_new`: whether there was none; `was_due`, `due`: when it was and is due.
pub(in crate::store::sqlite) fn save_pair(
    conn: &Connection,
    pair: &Pair,
    is_new: bool,
    was_due: Option<Time>,
    due: Option<Time>,
) -> Result<(), StoreError> {
    let (low, high) = (pair.key.low().as_str(), pair.key.high().as_str());
    let invitation = pair.live.as_ref().map(|live| &live.invitation);
    let acceptance = pair.live.as_ref().and_then(|live| live.acceptance.as_ref());
    let connection = pair.facts.connection.as_ref();
    conn.prepare_cached(
        "insert or replace into of_member (member, kind, key, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16, c17,
             c18, c19, c20, c21)
         values (?1, 6, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
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
        acceptance.and_then(|a| a.trace).map(TraceContext::to_bytes),
        acceptance.map(|a| a.overtaken),
        connection.map(|c| c.connect_time.millis()),
        connection.and_then(|c| c.invitation_id).map(Uuid::into_bytes),
        pair.facts.blocked_by.low,
        pair.facts.blocked_by.high,
        codec::position_number(pair.facts_position),
        codec::remains_text(pair)?,
        due.map(Time::millis),
    ])?;
    if is_new {
        conn.prepare_cached("insert into of_member (member, kind, key) values (?1, 7, ?2)")?
            .execute([high, low])?;
    }
    save_due(conn, &pair.key, was_due, due)
}

/// Deletes a pair's row.
pub(in crate::store::sqlite) fn delete_pair(
    conn: &Connection,
    key: &PairKey,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    let (low, high) = (key.low().as_str(), key.high().as_str());
    conn.prepare_cached("delete from of_member where member = ?1 and kind = 6 and key = ?2")?
        .execute([low, high])?;
    conn.prepare_cached("delete from of_member where member = ?1 and kind = 7 and key = ?2")?
        .execute([high, low])?;
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
                .prepare_cached("insert or replace into of_member (member, kind, key, c1, c2) values (?1, 8, ?2, ?3, ?4)")?
                .execute(params![member, inviter, codec::reason_number(bar.reason), bar.time.millis()])?,
            None => conn
                .prepare_cached("delete from of_member where member = ?1 and kind = 8 and key = ?2")?
                .execute(params![member, inviter])?,
        };
    }
    Ok(())
}

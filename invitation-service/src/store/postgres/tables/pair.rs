//! The tables `pair` and `bar`.

use std::sync::LazyLock;

use service_kit::{
    error::StoreError,
    id::{PairKey, Side, Sides},
    postgres::{Columns, Failure, Kind, Row, Stored, Table, TableShape, Value, int, small},
    time::Time,
};

use super::{super::batch::PairRow, optional_trace};
use crate::{
    domain::{
        invitation::Invitation,
        pair::{self, Bar, Live, Pair},
    },
    store::codec,
};

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "pair",
        key: &[("low", Kind::Text), ("high", Kind::Text)],
        rest: &[
            ("invitation_id", Kind::Uuid),
            ("inviter", Kind::Small),
            ("filtered", Kind::Bool),
            ("create_time", Kind::Big),
            ("expire_time", Kind::Big),
            ("decided_at", Kind::Big),
            ("acceptances", Kind::Int),
            ("last_event", Kind::Big),
            ("accept_time", Kind::Big),
            ("accept_attempts", Kind::Int),
            ("accept_next_attempt", Kind::Big),
            ("accept_request_id", Kind::Uuid),
            ("accept_trace", Kind::Bytes),
            ("accept_overtaken", Kind::Bool),
            ("connect_time", Kind::Big),
            ("connect_invitation_id", Kind::Uuid),
            ("blocked_by_low", Kind::Bool),
            ("blocked_by_high", Kind::Bool),
            ("facts_position", Kind::Big),
            ("remains", Kind::Text),
            ("due", Kind::Big),
        ],
        versioned: true,
    })
});

pub(in crate::store::postgres) static BAR: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "bar",
        key: &[("member", Kind::Text), ("inviter", Kind::Text)],
        rest: &[("reason", Kind::Small), ("bar_time", Kind::Big)],
        versioned: false,
    })
});

/// The columns of a live invitation and of its acceptance, in the order in which [`read_live`] reads them.
macro_rules! live_columns {
    () => {
        "t.low, t.high, t.invitation_id, t.inviter, t.filtered, t.create_time, t.expire_time, t.decided_at, t.acceptances, t.last_event,
             t.accept_time, t.accept_attempts, t.accept_next_attempt, t.accept_request_id, t.accept_trace, t.accept_overtaken"
    };
}
pub(in crate::store::postgres) use live_columns;

/// The columns of a pair, in the order in which [`read`] reads them.
macro_rules! pair_columns {
    () => {
        concat!(
            $crate::store::postgres::tables::pair::live_columns!(),
            ", t.version, t.connect_time, t.connect_invitation_id, t.blocked_by_low, t.blocked_by_high, t.facts_position, t.remains, t.due"
        )
    };
}
pub(in crate::store::postgres) use pair_columns;

fn read_key(columns: &mut Columns<'_>) -> Result<PairKey, Failure> {
    let (low, high) = (columns.member_id()?, columns.member_id()?);
    PairKey::new(&low, &high).ok_or_else(|| Failure::corrupt("a pair of one"))
}

/// A pair, from a row with the columns that [`pair_columns`] names.
pub(in crate::store::postgres) fn read(row: &Row) -> Result<Stored<PairRow>, Failure> {
    let mut columns = Columns::new(row);
    let mut pair = Pair::new(read_key(&mut columns)?);
    pair.live = live(&mut columns)?;
    let version = columns.get()?;
    pair.facts.connection = match (columns.optional_time()?, columns.get()?) {
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
    codec::read_remains(&mut pair, columns.get()?)?;
    let due = columns.optional_time()?;
    Ok(Stored {
        version,
        row: PairRow { pair, due },
    })
}

/// What is live between two members, from a row with the columns that [`live_columns`] names.
pub(in crate::store::postgres) fn read_live(row: &Row) -> Result<(PairKey, Option<Live>), Failure> {
    let mut columns = Columns::new(row);
    Ok((read_key(&mut columns)?, live(&mut columns)?))
}

/// The columns of the live invitation and of its acceptance, which are null together.
fn live(columns: &mut Columns<'_>) -> Result<Option<Live>, Failure> {
    let Some(id) = columns.get()? else {
        columns.skip(13);
        return Ok(None);
    };
    let invitation = Invitation {
        id,
        inviter: codec::side(columns.small()?)?,
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
        request_id: columns.get()?,
        trace: optional_trace(columns)?,
        overtaken: columns.get()?,
    };
    Ok(Some(Live {
        invitation,
        acceptance: Some(acceptance),
    }))
}

/// The key, in the order of the table's columns.
pub(in crate::store::postgres) fn key(key: &PairKey) -> Vec<Value<'_>> {
    vec![key.low().as_str().into(), key.high().as_str().into()]
}

/// A pair's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values(row: &PairRow) -> Result<Vec<Value<'_>>, StoreError> {
    let PairRow { pair, due } = row;
    let invitation = pair.live.as_ref().map(|live| &live.invitation);
    let acceptance = pair.live.as_ref().and_then(|live| live.acceptance.as_ref());
    let connection = pair.facts.connection.as_ref();
    let mut values = key(&pair.key);
    values.extend([
        invitation.map(|i| i.id).into(),
        invitation
            .map(|i| small(codec::side_number(i.inviter)))
            .into(),
        invitation.map(|i| i.filtered).into(),
        invitation.map(|i| i.create_time.millis()).into(),
        invitation.map(|i| i.expire_time.millis()).into(),
        invitation
            .map(|i| codec::position_number(i.decided_at))
            .into(),
        invitation.map(|i| int(i.acceptances)).into(),
        invitation
            .map(|i| codec::position_number(i.last_event))
            .into(),
        acceptance.map(|a| a.time.millis()).into(),
        acceptance.map(|a| int(a.attempts)).into(),
        acceptance.map(|a| a.next_attempt.millis()).into(),
        acceptance.and_then(|a| a.request_id).into(),
        acceptance
            .and_then(|a| a.trace)
            .map(|trace| trace.to_bytes().to_vec())
            .into(),
        acceptance.map(|a| a.overtaken).into(),
        connection.map(|c| c.connect_time.millis()).into(),
        connection.and_then(|c| c.invitation_id).into(),
        pair.facts.blocked_by.low.into(),
        pair.facts.blocked_by.high.into(),
        codec::position_number(pair.facts_position).into(),
        codec::remains_text(pair)?.into(),
        due.map(Time::millis).into(),
    ]);
    Ok(values)
}

/// A bar of the member on one side against the inviter on the other.
pub(in crate::store::postgres) fn bar_values(
    key: &PairKey,
    inviter: Side,
    bar: Option<&Bar>,
) -> Vec<Value<'static>> {
    let text = |side| Value::from(key.member(side).as_str().to_owned());
    let mut values = vec![text(inviter.other()), text(inviter)];
    if let Some(bar) = bar {
        let reason = small(codec::reason_number(bar.reason));
        values.extend([reason.into(), bar.time.millis().into()]);
    }
    values
}

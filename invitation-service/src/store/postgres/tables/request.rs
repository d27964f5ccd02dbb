//! The table `request`.

use std::sync::LazyLock;

use service_kit::{
    id::MemberId,
    postgres::{Columns, Failure, Kind, Row, Table, TableShape, Value, int, small},
    time::Time,
};
use uuid::Uuid;

use crate::{
    domain::member::Quota,
    store::{
        codec::{self, OutcomeColumns},
        rows::Remembered,
    },
};

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "request",
        key: &[("inviter", Kind::Text), ("request_id", Kind::Uuid)],
        rest: &[
            ("content", Kind::Bytes),
            ("time", Kind::Big),
            ("invitation_id", Kind::Uuid),
            ("outcome", Kind::Small),
            ("expire_time", Kind::Big),
            ("connect_time", Kind::Big),
            ("create_time", Kind::Big),
            ("weekly_cap", Kind::Int),
            ("used", Kind::Int),
            ("next_place_time", Kind::Big),
            ("pending_sent", Kind::Int),
            ("pending_cap", Kind::Int),
        ],
        versioned: false,
    })
});

/// The columns of a remembered answer, in the order in which [`read`] reads them.
macro_rules! request_columns {
    () => {
        "t.inviter, t.request_id, t.content, t.time, t.invitation_id, t.outcome, t.expire_time, t.connect_time, t.create_time, t.weekly_cap,
             t.used, t.next_place_time, t.pending_sent, t.pending_cap"
    };
}
pub(in crate::store::postgres) use request_columns;

/// Who asked with which id, and what was answered, from a row with the columns that [`request_columns`] names.
pub(in crate::store::postgres) fn read(
    row: &Row,
) -> Result<((MemberId, Uuid), Remembered), Failure> {
    let mut columns = Columns::new(row);
    let key = (columns.member_id()?, columns.uuid()?);
    let content = codec::hash(columns.get()?)?;
    let time = columns.time()?;
    let invitation_id = columns.uuid()?;
    let outcome = OutcomeColumns {
        outcome: columns.small()?,
        expire_time: columns.optional_time()?,
        connect_time: columns.optional_time()?,
        create_time: columns.optional_time()?,
    };
    let outcome = outcome.read()?;
    let (weekly_cap, used) = (columns.count()?, columns.count()?);
    let remembered = Remembered {
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
    };
    Ok((key, remembered))
}

/// The key, in the order of the table's columns.
pub(in crate::store::postgres) fn key<'a>(
    inviter: &'a MemberId,
    request_id: &Uuid,
) -> Vec<Value<'a>> {
    vec![inviter.as_str().into(), (*request_id).into()]
}

/// A remembered answer's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values<'a>(
    inviter: &'a MemberId,
    request_id: &Uuid,
    remembered: &'a Remembered,
) -> Vec<Value<'a>> {
    let answered = OutcomeColumns::of(&remembered.outcome);
    let mut values = key(inviter, request_id);
    values.extend([
        remembered.content.as_slice().into(),
        remembered.time.millis().into(),
        remembered.invitation_id.into(),
        small(answered.outcome).into(),
        answered.expire_time.map(Time::millis).into(),
        answered.connect_time.map(Time::millis).into(),
        answered.create_time.map(Time::millis).into(),
        int(remembered.quota.weekly_cap).into(),
        int(remembered.quota.used).into(),
        remembered.quota.next_place_time.map(Time::millis).into(),
        int(remembered.quota.pending_sent).into(),
        int(remembered.quota.pending_cap).into(),
    ]);
    values
}

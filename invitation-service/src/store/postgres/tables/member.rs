//! The table `member`.

use std::sync::LazyLock;

use service_kit::{
    error::StoreError,
    postgres::{Columns, Failure, Kind, Row, Stored, Table, TableShape, Value, int, small},
    time::Time,
};

use super::standing;
use crate::{
    domain::member::{Member, Preferences},
    store::codec,
};

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "member",
        key: &[("member", Kind::Text)],
        rest: &[
            ("erased", Kind::Bool),
            ("sent_pending", Kind::Int),
            ("received_pending", Kind::Int),
            ("received_unseen", Kind::Int),
            ("filtered_pending", Kind::Int),
            ("connections", Kind::Int),
            ("charges", Kind::Bytes),
            ("probes", Kind::Bytes),
            ("who_can_invite", Kind::Small),
            ("auto_withdraw_days", Kind::Int),
            ("auto_withdraw_due", Kind::Big),
            ("seen_until", Kind::Uuid),
            ("last_event", Kind::Big),
            ("plan", Kind::Text),
            ("standing", Kind::Bytes),
        ],
        versioned: true,
    })
});

/// The columns of a member, in the order in which [`read`] reads them.
macro_rules! member_columns {
    () => {
        "t.member, t.version, t.erased, t.sent_pending, t.received_pending, t.received_unseen, t.filtered_pending, t.connections, t.charges,
             t.probes, t.who_can_invite, t.auto_withdraw_days, t.auto_withdraw_due, t.seen_until, t.last_event, t.plan, t.standing"
    };
}
pub(in crate::store::postgres) use member_columns;

/// A member, from a row with the columns that [`member_columns`] names.
pub(in crate::store::postgres) fn read(row: &Row) -> Result<Stored<Member>, Failure> {
    let mut columns = Columns::new(row);
    let id = columns.member_id()?;
    let version = columns.get()?;
    let member = Member {
        id,
        erased: columns.get()?,
        sent_pending: columns.count()?,
        received_pending: columns.count()?,
        received_unseen: columns.count()?,
        filtered_pending: columns.count()?,
        connections: columns.count()?,
        charges: codec::log(columns.get()?)?,
        probes: codec::log(columns.get()?)?,
        preferences: Preferences {
            who_can_invite: codec::who_can_invite(columns.small()?)?,
            auto_withdraw_days: days(columns.get()?)?,
        },
        auto_withdraw_at: columns.optional_time()?,
        seen_until: columns.uuid()?,
        last_event: codec::link(columns.get()?)?,
        plan: columns.get()?,
        standing: standing(&mut columns)?,
    };
    Ok(Stored {
        version,
        row: member,
    })
}

fn days(days: Option<i32>) -> Result<Option<u16>, Failure> {
    let days = days.map(u16::try_from).transpose();
    Ok(days.map_err(|_| StoreError::corrupt("a number of days out of range"))?)
}

/// A member's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values(member: &Member) -> Result<Vec<Value<'_>>, StoreError> {
    Ok(vec![
        member.id.as_str().into(),
        member.erased.into(),
        int(member.sent_pending).into(),
        int(member.received_pending).into(),
        int(member.received_unseen).into(),
        int(member.filtered_pending).into(),
        int(member.connections).into(),
        codec::log_bytes(&member.charges).into(),
        codec::log_bytes(&member.probes).into(),
        small(codec::who_can_invite_number(
            member.preferences.who_can_invite,
        ))
        .into(),
        member.preferences.auto_withdraw_days.map(i32::from).into(),
        member.auto_withdraw_at.map(Time::millis).into(),
        member.seen_until.into(),
        codec::link_number(member.last_event).into(),
        member.plan.as_deref().into(),
        codec::standing_bytes(&member.standing)?.into(),
    ])
}

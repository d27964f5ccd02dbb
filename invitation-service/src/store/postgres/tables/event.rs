//! The table `event`: what happened.
//!
//! Names are taken out of a row when they must not stand there any longer; its position, its invitation's id and what it did to lists stay,
//! so that watchers that were away still learn what left their lists.

use std::sync::LazyLock;

use service_kit::{
    postgres::{
        Columns, Failure, Kind, Row, Statement, Table, TableShape, Value, small, types::Type,
    },
    time::Time,
};

use crate::{
    domain::invitation::Effect,
    store::{
        codec,
        feed::StoredEvent,
        rows::{EventKind, EventSide, NewEvent},
    },
};

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "event",
        key: &[("position", Kind::Big)],
        rest: &[
            ("time", Kind::Big),
            ("kind", Kind::Small),
            ("invitation_id", Kind::Uuid),
            ("inviter", Kind::Text),
            ("invitee", Kind::Text),
            ("inviter_effect", Kind::Small),
            ("invitee_effect", Kind::Small),
            ("previous_of_inviter", Kind::Big),
            ("previous_of_invitee", Kind::Big),
            ("previous_of_invitation", Kind::Big),
        ],
        versioned: false,
    })
});

/// Takes both names out of events, from each of these positions back to the first of its invitation.
pub(in crate::store::postgres) const BLANK_INVITATIONS: Statement = Statement::new(
    "with recursive chain (position) as (
         select unnest($1::bigint[])
         union
         select e.previous_of_invitation from chain join event e on e.lane = 0 and e.position = chain.position where e.previous_of_invitation > 0
     )
     update event set kind = 0, inviter = null, invitee = null where lane = 0 and position in (select position from chain)",
    &[Type::INT8_ARRAY],
);
/// Takes the inviters' names out of events.
pub(in crate::store::postgres) const BLANK_INVITERS: Statement = Statement::new(
    "update event set inviter = null where lane = 0 and position = any($1)",
    &[Type::INT8_ARRAY],
);
/// Takes the invitees' names out of events.
pub(in crate::store::postgres) const BLANK_INVITEES: Statement = Statement::new(
    "update event set invitee = null where lane = 0 and position = any($1)",
    &[Type::INT8_ARRAY],
);

/// The columns of an event, in the order in which [`read`] reads them.
macro_rules! event_columns {
    () => {
        "position, time, kind, invitation_id, inviter, invitee, inviter_effect, invitee_effect, previous_of_inviter, previous_of_invitee"
    };
}
pub(in crate::store::postgres) use event_columns;

/// An event, from a row with the columns that [`event_columns`] names.
pub(in crate::store::postgres) fn read(row: &Row) -> Result<StoredEvent, Failure> {
    let mut columns = Columns::new(row);
    Ok(StoredEvent {
        position: columns.position()?,
        time: columns.time()?,
        kind: codec::kind(columns.small()?)?,
        invitation_id: columns.uuid()?,
        inviter: columns.optional_member_id()?,
        invitee: columns.optional_member_id()?,
        inviter_effect: codec::effect(columns.small()?)?,
        invitee_effect: codec::effect(columns.small()?)?,
        previous_of_inviter: codec::link(columns.get()?)?,
        previous_of_invitee: codec::link(columns.get()?)?,
    })
}

/// An event's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values(
    position: u64,
    time: Time,
    event: &NewEvent,
) -> Vec<Value<'_>> {
    fn named<'a>(event: &NewEvent, side: Option<&'a EventSide>) -> Option<&'a str> {
        side.filter(|side| !side.blank && event.kind != EventKind::Blank)
            .map(|side| side.member.as_str())
    }
    let effect = |side: &Option<EventSide>| {
        let effect = side.as_ref().map_or(Effect::None, |side| side.effect);
        small(codec::effect_number(effect))
    };
    let previous =
        |side: &Option<EventSide>| codec::link_number(side.as_ref().and_then(|side| side.previous));
    vec![
        codec::position_number(position).into(),
        time.millis().into(),
        small(codec::kind_number(event.kind)).into(),
        event.invitation_id.into(),
        named(event, event.inviter.as_ref()).into(),
        named(event, event.invitee.as_ref()).into(),
        effect(&event.inviter).into(),
        effect(&event.invitee).into(),
        previous(&event.inviter).into(),
        previous(&event.invitee).into(),
        codec::position_number(event.previous_of_invitation).into(),
    ]
}

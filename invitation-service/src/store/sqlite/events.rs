//! The rows of what happened.
//!
//! Names are taken out of a row when they must not stand there any longer; its position, its invitation's id and what it did to lists stay,
//! so that watchers that were away still learn what left their lists.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use service_kit::{error::StoreError, time::Time};

use super::codec::{self, Columns};
use crate::{
    domain::{
        invitation::{Effect, Role},
        member::EventLink,
    },
    store::{
        feed::StoredEvent,
        rows::{EventKind, EventSide, NewEvent},
    },
};

/// The columns of an event, in the order in which [`read`] reads them.
macro_rules! event_columns {
    () => {
        "position, time, kind, invitation_id, inviter, invitee, inviter_effect, invitee_effect, previous_of_inviter, previous_of_invitee"
    };
}
pub(super) use event_columns;

/// Appends an event at its position.
pub(super) fn append(
    conn: &Connection,
    position: u64,
    time: Time,
    event: &NewEvent,
) -> Result<(), StoreError> {
    fn named<'a>(event: &NewEvent, side: Option<&'a EventSide>) -> Option<&'a str> {
        side.filter(|side| !side.blank && event.kind != EventKind::Blank)
            .map(|side| side.member.as_str())
    }
    let effect = |side: &Option<EventSide>| {
        codec::effect_number(side.as_ref().map_or(Effect::None, |side| side.effect))
    };
    let previous =
        |side: &Option<EventSide>| codec::link_number(side.as_ref().and_then(|side| side.previous));
    conn.prepare_cached(
        "insert into event (position, time, kind, invitation_id, inviter, invitee, inviter_effect, invitee_effect, previous_of_inviter,
             previous_of_invitee, previous_of_invitation)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        codec::position_number(position),
        time.millis(),
        codec::kind_number(event.kind),
        event.invitation_id.as_bytes(),
        named(event, event.inviter.as_ref()),
        named(event, event.invitee.as_ref()),
        effect(&event.inviter),
        effect(&event.invitee),
        previous(&event.inviter),
        previous(&event.invitee),
        codec::position_number(event.previous_of_invitation),
    ])?;
    Ok(())
}

/// The event at a position; `None` when it is no longer kept.
pub(super) fn load(conn: &Connection, position: u64) -> Result<Option<StoredEvent>, StoreError> {
    let mut statement = conn.prepare_cached(concat!(
        "select ",
        event_columns!(),
        " from event where position = ?1"
    ))?;
    let mut rows = statement.query([codec::position_number(position)])?;
    rows.next()?.map(read).transpose()
}

/// An event, from a row with the columns that [`event_columns`] names.
pub(super) fn read(row: &Row<'_>) -> Result<StoredEvent, StoreError> {
    let mut columns = Columns::new(row);
    Ok(StoredEvent {
        position: columns.position()?,
        time: columns.time()?,
        kind: codec::kind(columns.get()?)?,
        invitation_id: columns.uuid()?,
        inviter: columns.optional_member_id()?,
        invitee: columns.optional_member_id()?,
        inviter_effect: codec::effect(columns.get()?)?,
        invitee_effect: codec::effect(columns.get()?)?,
        previous_of_inviter: codec::link(columns.get()?)?,
        previous_of_invitee: codec::link(columns.get()?)?,
    })
}

/// Takes both names out of an event; the position of its invitation's event before it, 0 if there is none or it is no longer kept.
pub(super) fn blank_both(conn: &Connection, position: u64) -> Result<u64, StoreError> {
    let previous: Option<i64> = conn
        .prepare_cached(
            "update event set kind = 0, inviter = null, invitee = null where position = ?1 returning previous_of_invitation",
        )?
        .query_row([codec::position_number(position)], |row| row.get(0))
        .optional()?;
    codec::position(previous.unwrap_or(0))
}

/// Takes a member's name out of an event of theirs; their event before it, if there is one that is still kept.
pub(super) fn blank_member(
    conn: &Connection,
    link: EventLink,
) -> Result<Option<EventLink>, StoreError> {
    let mut statement = conn.prepare_cached(match link.role {
        Role::Inviter => {
            "update event set inviter = null where position = ?1 returning previous_of_inviter"
        }
        Role::Invitee => {
            "update event set invitee = null where position = ?1 returning previous_of_invitee"
        }
    })?;
    let previous: Option<i64> = statement
        .query_row([codec::position_number(link.position)], |row| row.get(0))
        .optional()?;
    previous.map_or(Ok(None), codec::link)
}

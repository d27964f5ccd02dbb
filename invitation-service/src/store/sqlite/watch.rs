//! What watchers read, each in one snapshot.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use service_kit::{error::StoreError, id::MemberId, time::Time};
use uuid::Uuid;

use super::{codec, events, tables};
use crate::{
    domain::{member::Member, policy::Policy},
    store::{
        catch_up::{Touched, notified, to_notify},
        feed::{MemberEvent, Reached, ServiceEvent, StoredEvent, Stretch},
        rows::EventKind,
    },
};

/// The position of the last event.
pub(super) fn head(conn: &Connection) -> Result<u64, StoreError> {
    let head = conn
        .prepare_cached("select head from meta where id = 1")?
        .query_row([], |row| row.get(0))?;
    codec::position(head)
}

/// The position of the first event that is still kept, or the one that the next will have.
pub(super) fn first_kept(conn: &Connection) -> Result<u64, StoreError> {
    let first: Option<i64> = conn
        .prepare_cached("select min(position) from event")?
        .query_row([], |row| row.get(0))?;
    match first {
        Some(first) => codec::position(first),
        None => Ok(head(conn)?.saturating_add(1)),
    }
}

/// The events after a position, for services; `None` when some of them are no longer kept.
pub(super) fn service_events(
    conn: &Connection,
    now: Time,
    after: u64,
    limit: usize,
) -> Result<Option<Stretch<ServiceEvent>>, StoreError> {
    if after.saturating_add(1) < first_kept(conn)? {
        return Ok(None);
    }
    let mut statement = conn.prepare_cached(concat!(
        "select ",
        events::event_columns!(),
        " from event where position > ?1 order by position limit ?2"
    ))?;
    let mut rows = statement.query(params![
        codec::position_number(after),
        i64::try_from(limit).unwrap_or(i64::MAX)
    ])?;
    let mut stretch = Stretch {
        events: Vec::new(),
        until: after,
    };
    while let Some(row) = rows.next()? {
        let event = events::read(row)?;
        stretch.until = event.position;
        if let EventKind::Step(_) = event.kind {
            let notify = notify(conn, now, &event)?;
            stretch.events.push(ServiceEvent { event, notify });
        }
    }
    Ok(Some(stretch))
}

/// Who may be told of an event now.
fn notify(
    conn: &Connection,
    now: Time,
    event: &StoredEvent,
) -> Result<Option<MemberId>, StoreError> {
    let Some(key) = to_notify(event)? else {
        return Ok(None);
    };
    let pair = tables::load_pair(conn, &key)?;
    Ok(pair.and_then(|(pair, _)| notified(event, pair, now)))
}

/// What became of a member's lists beyond what a watch has reached; `None` when that can no longer be said.
pub(super) fn member_events(
    conn: &Connection,
    policy: &Policy,
    now: Time,
    id: &MemberId,
    reached: Reached,
) -> Result<Option<Stretch<MemberEvent>>, StoreError> {
    if reached.from.saturating_add(1) < first_kept(conn)? {
        return Ok(None);
    }
    let until = head(conn)?;
    let nothing = Stretch {
        events: Vec::new(),
        until,
    };
    let Some(member) = tables::load_member(conn, id)? else {
        return Ok(Some(nothing));
    };
    let Some(touched) = touched_since(conn, policy, &member, reached)? else {
        return Ok(None);
    };
    let entry = |invitation_id: &Uuid| tables::load_entry(conn, id, invitation_id);
    let (whose, told) = ((id, &member.seen_until), (reached, until));
    touched.tell(whose, told, policy, now, entry).map(Some)
}

fn touched_since(
    conn: &Connection,
    policy: &Policy,
    member: &Member,
    reached: Reached,
) -> Result<Option<Touched>, StoreError> {
    // Whoever missed more lists anew.
    let missed_max = usize::try_from(policy.member_backlog_max).unwrap_or(usize::MAX);
    let mut missed = BTreeMap::new();
    let mut next = member.last_event;
    while let Some(link) = next.filter(|link| link.position > reached.from) {
        if missed.len() == missed_max {
            return Ok(None);
        }
        let Some(event) = events::load(conn, link.position)? else {
            return Ok(None);
        };
        next = event.previous_of(link.role);
        missed.insert(link.position, (link.role, event));
    }
    Ok(Some(Touched::by(missed, reached)))
}

//! What watchers read, each in one snapshot.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, params};
use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey},
    time::Time,
};
use uuid::Uuid;

use super::{codec, events, tables};
use crate::{
    domain::{
        invitation::{Effect, Happening},
        member::Member,
        policy::Policy,
        view::view,
    },
    store::{
        feed::{MemberChange, MemberEvent, Reached, ServiceEvent, StoredEvent, Stretch},
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
        if let EventKind::Step(happening) = event.kind {
            let notify = notify(conn, now, &event, happening)?;
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
    happening: Happening,
) -> Result<Option<MemberId>, StoreError> {
    let (Some(inviter), Some(invitee)) = (&event.inviter, &event.invitee) else {
        return Ok(None);
    };
    if !matches!(happening, Happening::Sent | Happening::Accepted) {
        return Ok(None);
    }
    let key = PairKey::new(inviter, invitee)
        .ok_or_else(|| StoreError::corrupt("an event of one member"))?;
    let Some((pair, _)) = tables::load_pair(conn, &key)? else {
        return Ok(None);
    };
    let told = match happening {
        Happening::Sent => pair
            .live
            .filter(|live| live.invitation.id == event.invitation_id)
            .filter(|live| live.acceptance.is_none() && live.invitation.expire_time > now)
            .filter(|live| !live.invitation.filtered)
            .map(|_| invitee),
        _ => pair
            .accepted
            .filter(|accepted| accepted.invitation.id == event.invitation_id)
            .map(|_| inviter),
    };
    Ok(told.cloned())
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
    let mut told = Vec::new();
    for (invitation_id, touch) in &touched.invitations {
        let Some(turn) = touch.turn(reached) else {
            continue;
        };
        let entry = tables::load_entry(conn, id, invitation_id)?
            .filter(|entry| entry.place.is_list() && entry.is_kept(policy, now));
        let change = match entry {
            Some(entry) => {
                MemberChange::Listed(view(id, &member.seen_until, *invitation_id, entry))
            }
            None if touch.was_told(reached) => MemberChange::Gone(*invitation_id),
            // It came and went while nobody looked.
            None => continue,
        };
        told.push((turn, change));
    }
    if let Some(position) = touched.seen.filter(|position| *position > reached.shown) {
        told.push((Turn::First(position), MemberChange::Seen(member.seen_until)));
    }
    told.sort_unstable_by_key(|(turn, _)| *turn);
    Ok(Some(Stretch {
        events: in_turn(told, reached, until),
        until,
    }))
}

/// When an invitation is told of: those that a watch broken off has told before are brought up to date first, so that all that was told is
/// of one position again; then the others, by their first event.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// Told before; with its last event.
    Again(u64),
    /// Not told yet; with its first event.
    First(u64),
}

/// Each change with how far the watch has come with it; with the last, everything up to `until` has been told.
fn in_turn(told: Vec<(Turn, MemberChange)>, before: Reached, until: u64) -> Vec<MemberEvent> {
    let again = told
        .iter()
        .rposition(|(turn, _)| matches!(turn, Turn::Again(_)));
    let last = told.len().saturating_sub(1);
    let events = told.into_iter().enumerate().map(|(index, (turn, change))| {
        let reached = match turn {
            _ if index == last => Reached::at(until),
            Turn::Again(_) if Some(index) == again => Reached {
                through: until,
                ..before
            },
            Turn::Again(through) => Reached { through, ..before },
            Turn::First(shown) => Reached {
                from: before.from,
                shown,
                through: until,
            },
        };
        MemberEvent { reached, change }
    });
    events.collect()
}

struct Touched {
    invitations: HashMap<Uuid, Touch>,
    /// The latest mark of seeing.
    seen: Option<u64>,
}

/// How an invitation was touched since the position from which a watch is told.
struct Touch {
    first: u64,
    appeared: bool,
    last: u64,
    /// Whether it stood in a list at the position as of which it was told, if it was.
    listed_then: bool,
    /// Whether it came into a list since.
    appeared_since: bool,
}

impl Touch {
    /// When there is something to tell of it, if there is.
    fn turn(&self, reached: Reached) -> Option<Turn> {
        if self.first > reached.shown {
            return Some(Turn::First(self.first));
        }
        (self.last > reached.through).then_some(Turn::Again(self.last))
    }

    /// Whether the watch has told of it. One that was told ahead of an event by which it came back counts as told.
    fn was_told(&self, reached: Reached) -> bool {
        if self.first <= reached.shown {
            self.listed_then || self.appeared_since
        } else {
            !self.appeared
        }
    }

    fn and_then(&mut self, position: u64, effect: Effect, reached: Reached) {
        self.last = position;
        if position <= reached.through {
            self.listed_then = effect != Effect::Gone;
        } else {
            self.appeared_since |= effect == Effect::Appeared;
        }
    }
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
    let mut touched = Touched {
        invitations: HashMap::new(),
        seen: None,
    };
    for (position, (role, event)) in missed {
        if event.kind == EventKind::Seen {
            touched.seen = Some(position);
            continue;
        }
        let effect = event.effect_on(role);
        if effect != Effect::None {
            let touch = touched.invitations.entry(event.invitation_id);
            let touch = touch.or_insert(Touch {
                first: position,
                appeared: effect == Effect::Appeared,
                last: position,
                listed_then: false,
                appeared_since: false,
            });
            touch.and_then(position, effect, reached);
        }
    }
    Ok(Some(touched))
}

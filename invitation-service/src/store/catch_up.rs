//! What a watcher is told that was away, and what is told of an event now: the same over every engine.
//!
//! Deliberately absent: reading events and entries, which engines do in one snapshot.

use std::collections::{BTreeMap, HashMap};

use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey},
    time::Time,
};
use uuid::Uuid;

use super::{
    feed::{MemberChange, MemberEvent, Reached, StoredEvent, Stretch},
    rows::EventKind,
};
use crate::domain::{
    invitation::{Effect, Happening, Role},
    pair::Pair,
    policy::Policy,
    view::{Entry, view},
};

/// Between whom an event is that somebody may be told of now; `None` where nobody is.
pub(in crate::store) fn to_notify(event: &StoredEvent) -> Result<Option<PairKey>, StoreError> {
    let told = matches!(
        event.kind,
        EventKind::Step(Happening::Sent | Happening::Accepted)
    );
    let (true, Some(inviter), Some(invitee)) = (told, &event.inviter, &event.invitee) else {
        return Ok(None);
    };
    let key = PairKey::new(inviter, invitee);
    key.map(Some)
        .ok_or_else(|| StoreError::corrupt("an event of one member"))
}

/// Who may be told of an event now, as `pair`, which it is [between](to_notify), stands.
pub(in crate::store) fn notified(event: &StoredEvent, pair: Pair, now: Time) -> Option<MemberId> {
    match event.kind {
        EventKind::Step(Happening::Sent) => pair
            .live
            .filter(|live| live.invitation.id == event.invitation_id)
            .filter(|live| live.acceptance.is_none() && live.invitation.expire_time > now)
            .filter(|live| !live.invitation.filtered)
            .and(event.invitee.clone()),
        EventKind::Step(Happening::Accepted) => pair
            .accepted
            .filter(|accepted| accepted.invitation.id == event.invitation_id)
            .and(event.inviter.clone()),
        _ => None,
    }
}

/// A member's events that a watch has missed, by position, each with what the member is to its invitation.
pub(in crate::store) type Missed = BTreeMap<u64, (Role, StoredEvent)>;

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

/// What was touched of a member's lists since the position from which a watch is told.
pub(in crate::store) struct Touched {
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

impl Touched {
    /// By the events that were missed.
    pub(in crate::store) fn by(missed: Missed, reached: Reached) -> Self {
        let mut touched = Self {
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
        touched
    }

    /// The invitations of which there is something to tell, if they are listed or were told of.
    pub(in crate::store) fn invitations(&self, reached: Reached) -> impl Iterator<Item = &Uuid> {
        let with_turn = self.invitations.iter();
        let with_turn = with_turn.filter(move |(_, touch)| touch.turn(reached).is_some());
        with_turn.map(|(id, _)| id)
    }

    /// What became of the lists of `member`, who has seen everything up to `seen_until`, until the position `until`. `entry`: what the member
    /// keeps of one of the [invitations](Self::invitations).
    pub(in crate::store) fn tell(
        &self,
        (member, seen_until): (&MemberId, &Uuid),
        (reached, until): (Reached, u64),
        policy: &Policy,
        now: Time,
        mut entry: impl FnMut(&Uuid) -> Result<Option<Entry>, StoreError>,
    ) -> Result<Stretch<MemberEvent>, StoreError> {
        let mut told = Vec::new();
        for (invitation_id, touch) in &self.invitations {
            let Some(turn) = touch.turn(reached) else {
                continue;
            };
            let entry = entry(invitation_id)?
                .filter(|entry| entry.place.is_list() && entry.is_kept(policy, now));
            let change = match entry {
                Some(entry) => {
                    MemberChange::Listed(view(member, seen_until, *invitation_id, entry))
                }
                None if touch.was_told(reached) => MemberChange::Gone(*invitation_id),
                // It came and went while nobody looked.
                None => continue,
            };
            told.push((turn, change));
        }
        if let Some(position) = self.seen.filter(|position| *position > reached.shown) {
            told.push((Turn::First(position), MemberChange::Seen(*seen_until)));
        }
        told.sort_unstable_by_key(|(turn, _)| *turn);
        Ok(Stretch {
            events: in_turn(told, reached, until),
            until,
        })
    }
}

//! Everything between two members that decisions rest on: the live invitation, what remains of ended ones, bars, and the copy of
//! connection-service's facts.
//!
//! Deliberately absent: notes and sources (no decision reads them), and what either member has on their own.

use serde::{Deserialize, Serialize};
use service_kit::{
    id::{PairKey, Side, Sides},
    time::{Span, Time},
    trace::TraceContext,
};
use uuid::Uuid;

use super::invitation::{Invitation, State};

/// Two members and what is between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Who the two are.
    pub key: PairKey,
    /// The invitation that is pending or accepting; never more than one.
    pub live: Option<Live>,
    /// The invitation that led to the standing connection, for a while.
    pub accepted: Option<Accepted>,
    /// The latest declined invitation of each side, for as long as it matters.
    pub declined: Sides<Option<Declined>>,
    /// Invitations withdrawn lately, oldest first. Bounded by the weekly cap, for each was charged.
    pub withdrawn: Vec<Withdrawn>,
    /// For each side, the bar that the other side has set against its invitations.
    pub bars: Sides<Option<Bar>>,
    /// The copy of connection-service's facts.
    pub facts: Facts,
    /// Where in connection-service's feed `facts` were read, if that was not by following the feed; else 0.
    pub facts_position: u64,
}

/// An invitation that is pending or accepting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The invitation.
    pub invitation: Invitation,
    /// The acceptance that awaits its verdict; `None` while pending.
    pub acceptance: Option<Acceptance>,
}

impl Live {
    /// How far it has come.
    pub fn state(&self) -> State {
        match self.acceptance {
            Some(_) => State::Accepting,
            None => State::Pending,
        }
    }
}

/// An acceptance that awaits connection-service's verdict. Its number is the invitation's `acceptances`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acceptance {
    /// When it was accepted.
    pub time: Time,
    /// How often a worker has taken it up.
    pub attempts: u32,
    /// When a worker takes it up next.
    pub next_attempt: Time,
    /// The `request_id` of the crossing invitation that accepted it, if it was one: its remembered answer follows the verdict.
    pub request_id: Option<Uuid>,
    /// The trace of the call that accepted, for whoever sees the acceptance through; no decision looks at it.
    pub trace: Option<TraceContext>,
    /// A block has come since the invitation was decided: unless the verdict connects the two, it ends.
    pub overtaken: bool,
}

/// An invitation that became a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The invitation.
    pub invitation: Invitation,
    /// The moment the connection was made.
    pub connect_time: Time,
    /// Until when it is kept.
    pub kept_until: Time,
    /// The position in connection-service's feed at which the connection was known: offered again if that service lost it.
    pub known_at: u64,
}

/// An invitation that was declined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Declined {
    /// The invitation.
    pub invitation: Invitation,
    /// Why, as strengthened since.
    pub reason: DeclineReason,
    /// Until when the invitee sees it, may strengthen the reason and undo it.
    pub kept_until: Time,
    /// Until when the inviter cannot invite this member again; ended early when the decliner invites or the two connect.
    pub cooldown_until: Time,
    /// Something came between, so that it cannot be undone.
    pub overtaken: bool,
    /// The invitee sees it no longer; only the wait of the inviter is left.
    pub forgotten: bool,
}

/// Why a member declined; a later one may strengthen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// Not now.
    NotNow,
    /// "I don't know this person."
    DontKnow,
    /// Spam.
    Spam,
}

impl DeclineReason {
    /// Whether this reason bars the inviter.
    pub fn bars(self) -> bool {
        self >= Self::DontKnow
    }
}

/// A bar against the invitations of one side, set by the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bar {
    /// Why it was set.
    pub reason: DeclineReason,
    /// Since when.
    pub time: Time,
}

/// An invitation that was withdrawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    /// The invitation.
    pub invitation: Invitation,
    /// Until when its inviter sees it; then nothing names the two together.
    pub kept_until: Time,
}

/// What connection-service says holds between the two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// The connection, if there is one.
    pub connection: Option<Connection>,
    /// Whether each side has blocked the other.
    pub blocked_by: Sides<bool>,
}

impl Facts {
    /// Whether a block stands, set by either side.
    pub fn blocked(&self) -> bool {
        self.blocked_by.low || self.blocked_by.high
    }
}

/// A connection, as connection-service tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// The moment it was made.
    pub connect_time: Time,
    /// The invitation whose acceptance made it; `None` when it came about in another way.
    pub invitation_id: Option<Uuid>,
}

impl Pair {
    /// Two members between whom there is nothing.
    pub fn new(key: PairKey) -> Self {
        Self {
            key,
            live: None,
            accepted: None,
            declined: Sides::default(),
            withdrawn: Vec::new(),
            bars: Sides::default(),
            facts: Facts::default(),
            facts_position: 0,
        }
    }

    /// The position up to which this pair's facts are known, when the feed has been followed up to `cursor`.
    pub fn facts_known_to(&self, cursor: u64) -> u64 {
        self.facts_position.max(cursor)
    }

    /// Whether nothing is left that a row would have to be kept for. `cursor`: how far the feed has been followed.
    ///
    /// Facts read ahead of the feed keep the row until the feed has passed them, so that older events are not taken for news.
    pub fn is_empty(&self, cursor: u64) -> bool {
        self.live.is_none()
            && self.accepted.is_none()
            && self.declined == Sides::default()
            && self.withdrawn.is_empty()
            && self.bars == Sides::default()
            && self.facts == Facts::default()
            && self.facts_position <= cursor
    }

    /// When [`review`](super::review::review) next has something to do here.
    pub fn next_deadline(&self, cursor: u64, now: Time) -> Option<Time> {
        let live = self.live.as_ref().map(|live| match &live.acceptance {
            Some(acceptance) => acceptance.next_attempt,
            None => live.invitation.expire_time,
        });
        let accepted = self.accepted.as_ref().map(|accepted| accepted.kept_until);
        let declined = Side::BOTH.into_iter().filter_map(|side| {
            let declined = self.declined.get(side).as_ref()?;
            Some(declined.next_deadline())
        });
        let withdrawn = self.withdrawn.first().map(|withdrawn| withdrawn.kept_until);
        let deadline = [live, accepted, withdrawn]
            .into_iter()
            .flatten()
            .chain(declined)
            .min();
        // Kept only because its facts are ahead of the feed: look again soon whether the row can go.
        let ahead = deadline.is_none() && self.facts_position > cursor;
        deadline.or_else(|| ahead.then(|| now.plus(AHEAD_RECHECK)))
    }

    /// The invitations that others may still move: the live one, and the accepted one, which is offered again where the other service has lost
    /// the connection.
    pub fn movable(&self) -> impl Iterator<Item = &Invitation> {
        let live = self.live.iter().map(|live| &live.invitation);
        live.chain(self.accepted.iter().map(|accepted| &accepted.invitation))
    }

    /// The record of an invitation, wherever it stands, to note the position of its latest event.
    pub fn invitation_mut(&mut self, id: &Uuid) -> Option<&mut Invitation> {
        let live = self.live.iter_mut().map(|live| &mut live.invitation);
        let accepted = self
            .accepted
            .iter_mut()
            .map(|accepted| &mut accepted.invitation);
        let Sides { low, high } = &mut self.declined;
        let declined = low
            .iter_mut()
            .chain(high)
            .map(|declined| &mut declined.invitation);
        let withdrawn = self
            .withdrawn
            .iter_mut()
            .map(|withdrawn| &mut withdrawn.invitation);
        live.chain(accepted)
            .chain(declined)
            .chain(withdrawn)
            .find(|invitation| invitation.id == *id)
    }
}

/// How soon a row that is kept only because its facts are ahead of the feed is looked at again.
const AHEAD_RECHECK: Span = Span::minutes(1);

impl Declined {
    /// Whether the invitee still sees it.
    pub fn is_kept(&self) -> bool {
        !self.forgotten
    }

    /// When it changes next: first the invitee forgets the invitation, later the inviter may invite again.
    fn next_deadline(&self) -> Time {
        if self.is_kept() {
            self.kept_until
        } else {
            self.cooldown_until
        }
    }
}

#[cfg(test)]
mod tests;

//! What a watcher reads: events in the order of commits, and what became of one member's lists between two positions.
//!
//! A member's lists are told by their state: a batch says of every invitation touched since a position how it stands now. One that both
//! came and went in between is not told at all, so that a withdrawal which nobody has seen stays silent, also when the telling breaks off in
//! the middle of a batch: that is what [`Reached`] keeps apart. Deliberately absent: streams and tokens (`usecase/watch_invitations.rs`).

use service_kit::{id::MemberId, time::Time};
use uuid::Uuid;

use super::rows::EventKind;
use crate::domain::{
    invitation::{Effect, Role},
    member::EventLink,
    view::View,
};

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its position.
    pub position: u64,
    /// When it happened.
    pub time: Time,
    /// What it tells.
    pub kind: EventKind,
    /// The invitation.
    pub invitation_id: Uuid,
    /// Who invites; `None` once the name was taken out.
    pub inviter: Option<MemberId>,
    /// Who is invited; `None` once the name was taken out.
    pub invitee: Option<MemberId>,
    /// What it did to the inviter's lists.
    pub inviter_effect: Effect,
    /// What it did to the invitee's lists.
    pub invitee_effect: Effect,
    /// The inviter's event before it.
    pub previous_of_inviter: Option<EventLink>,
    /// The invitee's event before it.
    pub previous_of_invitee: Option<EventLink>,
}

impl StoredEvent {
    /// The event before it of the member in a role.
    pub fn previous_of(&self, role: Role) -> Option<EventLink> {
        match role {
            Role::Inviter => self.previous_of_inviter,
            Role::Invitee => self.previous_of_invitee,
        }
    }

    /// What it did to the lists of the member in a role.
    pub fn effect_on(&self, role: Role) -> Effect {
        match role {
            Role::Inviter => self.inviter_effect,
            Role::Invitee => self.invitee_effect,
        }
    }
}

/// An event for services, with whom to notify now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceEvent {
    /// The event; both names are there.
    pub event: StoredEvent,
    /// Who may be told of it now.
    pub notify: Option<MemberId>,
}

/// A stretch of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch<T> {
    /// What it holds, in order.
    pub events: Vec<T>,
    /// Everything up to here has been looked at.
    pub until: u64,
}

/// How far a watch has come. Of what happened after `from`, each invitation whose first event lies at or before `shown` was told as it
/// stood at `through`; nothing was told of the others.
///
/// Invariant: `from <= shown <= through`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reached {
    /// Everything up to here has been told.
    pub from: u64,
    /// Up to here the telling has come.
    pub shown: u64,
    /// As it stood here.
    pub through: u64,
}

impl Reached {
    /// Everything up to `position`, and nothing beyond.
    pub const fn at(position: u64) -> Self {
        Self {
            from: position,
            shown: position,
            through: position,
        }
    }
}

/// What became of a member's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberEvent {
    /// How far the watch has come with it.
    pub reached: Reached,
    /// What.
    pub change: MemberChange,
}

/// What became of a member's lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberChange {
    /// An invitation stands in a list, so.
    Listed(View),
    /// It is in no list.
    Gone(Uuid),
    /// Everything up to this one is marked as seen.
    Seen(Uuid),
}

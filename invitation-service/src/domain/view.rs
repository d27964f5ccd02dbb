//! What one member keeps of one invitation, and what of it that member is shown.
//!
//! The two sides keep rows of their own, so that what must not be told to one of them is not there to be told. Deliberately absent: how an
//! entry is found and stored.

use service_kit::{id::MemberId, time::Time};
use uuid::Uuid;

use super::{
    invitation::{Place, Role, Shown},
    note::{Note, Source},
    policy::Policy,
};

/// What one member keeps of one invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The other member.
    pub other: MemberId,
    /// What the member is to the invitation.
    pub role: Role,
    /// Where the member keeps it.
    pub place: Place,
    /// How far it has come, as this member may know.
    pub shown: Shown,
    /// The note; empty once it was erased.
    pub note: Note,
    /// The inviter's word for where it came from; kept on both sides, shown on one.
    pub source: Source,
    /// When it was sent.
    pub create_time: Time,
    /// When it last changed for this member.
    pub update_time: Time,
    /// When it expires if it is pending then.
    pub expire_time: Time,
    /// The moment the connection was made, once it was.
    pub connect_time: Option<Time>,
}

impl Entry {
    /// Whether the member still has it at `now`, however late the sweeper is.
    pub fn is_kept(&self, policy: &Policy, now: Time) -> bool {
        match self.shown {
            Shown::Pending => self.expire_time > now,
            Shown::Accepting => true,
            Shown::Accepted => self.update_time.plus(policy.accepted_kept) > now,
            Shown::Declined | Shown::Withdrawn => self.update_time.plus(policy.ended_kept) > now,
        }
    }
}

/// An invitation as one of its members is shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Which.
    pub id: Uuid,
    /// Who invites.
    pub inviter: MemberId,
    /// Who is invited.
    pub invitee: MemberId,
    /// In which of the member's places it stands.
    pub place: Place,
    /// How far it has come, as this member may know.
    pub shown: Shown,
    /// The note.
    pub note: Note,
    /// Where it came from; empty for the invitee.
    pub source: Source,
    /// When it was sent.
    pub create_time: Time,
    /// When it last changed for this member.
    pub update_time: Time,
    /// When it expires; only while it is shown as pending.
    pub expire_time: Option<Time>,
    /// Whether the invitee has seen it; only for the invitee.
    pub seen: Option<bool>,
}

/// What `member`, who has seen everything that sorts up to `seen_until`, is shown of an entry of theirs.
pub fn view(member: &MemberId, seen_until: &Uuid, id: Uuid, entry: Entry) -> View {
    let member = member.clone();
    let (inviter, invitee, source, seen) = match entry.role {
        Role::Inviter => (member, entry.other, entry.source, None),
        Role::Invitee => (
            entry.other,
            member,
            Source::default(),
            Some(id <= *seen_until),
        ),
    };
    View {
        id,
        inviter,
        invitee,
        place: entry.place,
        shown: entry.shown,
        note: entry.note,
        source,
        create_time: entry.create_time,
        update_time: entry.update_time,
        expire_time: (entry.shown == Shown::Pending).then_some(entry.expire_time),
        seen,
    }
}

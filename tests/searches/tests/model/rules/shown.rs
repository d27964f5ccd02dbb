//! What members are shown.

use invitation_service::{
    domain::{
        invitation::{Place, Role, Shown},
        member::Preferences,
        note::Source,
        view::View,
    },
    store::{Barred, Counts},
};
use service_kit::{id::MemberId, time::Time};
use uuid::Uuid;

use super::{Fate, Invitation, Model};
use crate::model::{command::Who, differences::AN_ACCEPTANCE_UNDER_WAY_EXPIRES_FOR_THE_INVITER};

impl Model {
    pub(super) fn view(&self, invitation: &Invitation, who: Who) -> Option<View> {
        let inviting = invitation.from == who;
        if !inviting && invitation.to != who {
            return None;
        }
        let received = if invitation.filtered {
            Place::Filtered
        } else {
            Place::Received
        };
        let list = if inviting { Place::Sent } else { received };
        let expire_time = invitation.create_time.plus(self.policy.invitation_lifetime);
        let day_after = |at: Time| at.plus(self.policy.ended_kept);
        let (place, shown) = match invitation.fate {
            Fate::Pending => (list, Shown::Pending),
            Fate::Accepting { .. } if inviting => (list, Shown::Pending),
            Fate::Accepting { .. } => (list, Shown::Accepting),
            Fate::Accepted { .. } => (Place::Accepted, Shown::Accepted),
            Fate::Declined { at, .. } if !inviting && day_after(at) > self.now => {
                (Place::Declined, Shown::Declined)
            }
            Fate::Withdrawn { at } if inviting && day_after(at) > self.now => {
                (Place::Withdrawn, Shown::Withdrawn)
            }
            _ => return None,
        };
        Some(View {
            id: invitation.id,
            inviter: self.members[invitation.from].clone(),
            invitee: self.members[invitation.to].clone(),
            place,
            shown,
            note: invitation.note.clone(),
            source: if inviting {
                invitation.source.clone()
            } else {
                Source::default()
            },
            create_time: invitation.create_time,
            update_time: invitation.changed[usize::from(!inviting)],
            expire_time: (shown == Shown::Pending).then_some(expire_time),
            seen: (!inviting).then_some(invitation.seen),
        })
    }

    /// Whether a member's methods of reading show an invitation that is shown so.
    pub(super) fn is_readable(&self, view: &View) -> bool {
        let over = view
            .expire_time
            .is_some_and(|expire_time| expire_time <= self.now);
        !(over && AN_ACCEPTANCE_UNDER_WAY_EXPIRES_FOR_THE_INVITER)
    }

    /// What a member is shown of an invitation by every method of reading.
    pub(crate) fn get(&self, who: Who, id: &Uuid) -> Option<View> {
        let invitation = self
            .invitations
            .iter()
            .find(|invitation| invitation.id == *id)?;
        self.view(invitation, who)
            .filter(|view| self.is_readable(view))
    }

    /// What a member is shown in a list, oldest first.
    pub(crate) fn list(&self, who: Who, places: &[Place]) -> Vec<View> {
        let views = self
            .invitations
            .iter()
            .filter_map(|invitation| self.view(invitation, who));
        let in_it = |view: &View| places.contains(&view.place) && self.is_readable(view);
        views.filter(in_it).collect()
    }

    /// How many a member's lists hold.
    pub(crate) fn counts(&self, who: Who) -> Counts {
        let count = |place: Place, unseen: bool| {
            let views = self.list(who, &[place]);
            let counted = views
                .iter()
                .filter(|view| !unseen || view.seen == Some(false));
            u32::try_from(counted.count()).unwrap()
        };
        Counts {
            received_pending: count(Place::Received, false),
            received_unseen: count(Place::Received, true),
            filtered_pending: count(Place::Filtered, false),
            sent_pending: count(Place::Sent, false),
        }
    }

    /// Whose invitation is live between two, as one of them is shown it.
    pub(crate) fn state(&self, who: Who, other: Who) -> Option<(Role, Uuid)> {
        let lists = [Place::Sent, Place::Received, Place::Filtered];
        let name = &self.members[other];
        let views = self.list(who, &lists);
        let view = views
            .iter()
            .find(|view| view.inviter == *name || view.invitee == *name)?;
        let role = if view.invitee == *name {
            Role::Inviter
        } else {
            Role::Invitee
        };
        (who != other).then_some((role, view.id))
    }

    /// Whom a member has barred, in the order of names.
    pub(crate) fn barred(&self, who: Who) -> Vec<Barred> {
        let mut barred: Vec<Barred> = Vec::new();
        for inviter in 0..self.members.len() {
            let bars = self
                .bars
                .iter()
                .filter(|bar| (bar.by, bar.against) == (who, inviter));
            if let Some(bar) = bars.max_by_key(|bar| (bar.reason, bar.time)) {
                barred.push(Barred {
                    inviter: self.members[inviter].clone(),
                    reason: bar.reason,
                    time: bar.time,
                });
            }
        }
        barred
    }

    /// How a member wishes to be invited.
    pub(crate) fn preferences(&self, who: Who) -> Preferences {
        self.preferences[who]
    }

    /// Which invitation, counted from the latest; and its two members.
    pub(crate) fn named(&self, ago: usize) -> Option<(Uuid, Who, Who)> {
        let invitation = self.invitations.iter().rev().nth(ago)?;
        Some((invitation.id, invitation.from, invitation.to))
    }

    /// Every invitation that ever was.
    pub(crate) fn ids(&self) -> Vec<Uuid> {
        self.invitations
            .iter()
            .map(|invitation| invitation.id)
            .collect()
    }

    /// The members who were erased.
    pub(crate) fn erased(&self) -> Vec<MemberId> {
        self.erased
            .iter()
            .map(|who| self.members[*who].clone())
            .collect()
    }
}

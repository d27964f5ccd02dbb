//! Accepting, declining, taking a decline back, withdrawing.

use invitation_service::domain::{
    note::Note, pair::DeclineReason, refusal::Refusal, standing::Outcome, view::View,
};
use uuid::Uuid;

use super::{Accepting, Bar, CountsAs, Ending, Event, Fate, Invitation, Model, standing::declined};
use crate::model::{command::Who, differences::ONLY_THE_LATEST_DECLINE_IS_KEPT};

impl Model {
    /// The invitation that a member names, if the member has it in that role.
    pub(super) fn find(&self, who: Who, id: &Uuid, inviting: bool) -> Result<usize, Refusal> {
        if self.is_erased(who) {
            return Err(Refusal::MemberNotFound);
        }
        let has = |i: &Invitation| {
            let role = if inviting { i.from } else { i.to };
            i.id == *id && role == who && self.view(i, who).is_some()
        };
        self.invitations
            .iter()
            .position(has)
            .ok_or(Refusal::InvitationNotFound)
    }

    pub(super) fn shown(&self, number: usize, who: Who) -> View {
        self.view(&self.invitations[number], who).unwrap()
    }

    /// An invitation is accepted.
    pub(crate) fn accept(&mut self, who: Who, id: &Uuid) -> Result<Accepting, Refusal> {
        let number = self.find(who, id, false)?;
        match self.invitations[number].fate {
            Fate::Accepted { connect_time, .. } => {
                Ok(Accepting::Connected(self.shown(number, who), connect_time))
            }
            Fate::Declined { .. } => Err(Refusal::InvitationNotPending),
            _ => {
                self.start_accepting(number);
                let awaited = self.awaited(&self.invitations[number]);
                Ok(Accepting::Awaited(self.shown(number, who), awaited))
            }
        }
    }

    /// An invitation is declined, or the reason strengthened.
    pub(crate) fn decline(
        &mut self,
        who: Who,
        id: &Uuid,
        reason: DeclineReason,
    ) -> Result<Ending, Refusal> {
        let number = self.find(who, id, false)?;
        let (at, stronger) = match self.invitations[number].fate {
            Fate::Accepted { .. } => return Err(Refusal::AlreadyAccepted),
            Fate::Accepting { .. } => {
                return Ok(Ending::Awaits(self.awaited(&self.invitations[number])));
            }
            Fate::Declined {
                at, reason: before, ..
            } => (at, reason > before),
            _ => {
                self.end(number, Fate::Gone);
                self.forget_older_decline(number);
                (self.now, true)
            }
        };
        let invitation = &mut self.invitations[number];
        invitation.note = Note::default();
        if stronger {
            let history = match invitation.fate {
                Fate::Declined { history, .. } => history,
                _ => self.history.len(),
            };
            invitation.fate = Fate::Declined {
                at,
                reason,
                history,
            };
            invitation.counts_as = CountsAs::Outcome(declined(reason), at);
            self.bars.retain(|bar| bar.invitation != *id);
            if reason != DeclineReason::NotNow {
                self.bars.push(Bar {
                    against: self.invitations[number].from,
                    by: who,
                    reason,
                    time: self.now,
                    invitation: *id,
                });
            }
        }
        Ok(Ending::Done(self.shown(number, who)))
    }

    pub(super) fn forget_older_decline(&mut self, number: usize) {
        let (from, to) = (self.invitations[number].from, self.invitations[number].to);
        for invitation in &mut self.invitations {
            let declined = matches!(invitation.fate, Fate::Declined { .. });
            if declined
                && (invitation.from, invitation.to) == (from, to)
                && ONLY_THE_LATEST_DECLINE_IS_KEPT
            {
                invitation.fate = Fate::Gone;
            }
        }
    }

    /// A decline is taken back.
    pub(crate) fn undo_decline(&mut self, who: Who, id: &Uuid) -> Result<Ending, Refusal> {
        let number = self.find(who, id, false)?;
        let invitation = &self.invitations[number];
        let (a, b) = (
            invitation.from.min(invitation.to),
            invitation.from.max(invitation.to),
        );
        let history = match invitation.fate {
            Fate::Accepted { .. } => return Err(Refusal::AlreadyAccepted),
            Fate::Accepting { .. } => return Ok(Ending::Awaits(self.awaited(invitation))),
            Fate::Declined { history, .. } => history,
            _ => return Ok(Ending::Done(self.shown(number, who))),
        };
        let came_between = self.history[history..].iter().any(|event| match *event {
            Event::Sent { from, to } => (from.min(to), from.max(to)) == (a, b),
            Event::Connected(x, y) => (x, y) == (a, b),
            Event::Blocked(x, y, position) => (x, y) == (a, b) && position > invitation.decided_at,
        });
        let over = invitation.create_time.plus(self.policy.invitation_lifetime) <= self.now;
        if came_between || over {
            return Err(Refusal::InvitationNotPending);
        }
        self.bars.retain(|bar| bar.invitation != *id);
        let now = self.now;
        let invitation = &mut self.invitations[number];
        invitation.fate = Fate::Pending;
        invitation.counts_as = CountsAs::Unanswered;
        // To the inviter it is as if nothing had been.
        invitation.changed = [invitation.create_time, now];
        Ok(Ending::Done(self.shown(number, who)))
    }

    /// An invitation is withdrawn.
    pub(crate) fn withdraw(&mut self, who: Who, id: &Uuid) -> Result<Ending, Refusal> {
        let number = self.find(who, id, true)?;
        let now = self.now;
        match self.invitations[number].fate {
            Fate::Accepted { .. } => return Err(Refusal::AlreadyAccepted),
            Fate::Accepting { .. } => {
                return Ok(Ending::Awaits(self.awaited(&self.invitations[number])));
            }
            Fate::Withdrawn { .. } => {}
            _ => {
                self.end(number, Fate::Withdrawn { at: now });
                let counts_as = CountsAs::Outcome(Outcome::Withdrawn, now);
                self.invitations[number].counts_as = counts_as;
                self.invitations[number].note = Note::default();
                let to = self.invitations[number].to;
                self.withdrawals.push((who, to, now));
            }
        }
        Ok(Ending::Done(self.shown(number, who)))
    }
}

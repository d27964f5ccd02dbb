//! Sending, crossing, and answering a repeated request.

use invitation_service::{
    domain::{
        invitation::{Place, Shown},
        member::WhoCanInvite,
        note::{Note, Source},
        refusal::Refusal,
        view::View,
    },
    store::command::AwaitedVerdict,
};
use service_kit::id::Sides;
use uuid::Uuid;

use super::{
    Answered, CameTo, CountsAs, Crossing, Event, Fate, Invitation, Known, Model, Remembered,
    Request, Sending,
};
use crate::model::{command::Who, differences::ONLY_THE_FIRST_CROSSING_IS_REMEMBERED};

impl Model {
    /// An invitation is sent.
    pub(crate) fn send(&mut self, sending: &Sending) -> Result<Answered, Refusal> {
        let Sending { from, to, .. } = *sending;
        let content = (to, sending.note.clone(), sending.source.clone());
        if let Some(id) = sending.request
            && let Some(request) = self.remembered(from, id)
        {
            return if request.content == content {
                Ok(self.repeated(&request))
            } else {
                Err(Refusal::RequestIdReused)
            };
        }
        if self.is_erased(from) {
            return Err(Refusal::MemberNotFound);
        }
        if from == to {
            return Err(Refusal::SelfReference);
        }
        let (from_gone, to_gone) = self.listen(sending);
        if from_gone {
            return Err(Refusal::MemberNotFound);
        }
        if let Some(number) = self.own_side(from, to)? {
            return Ok(self.cross(number, sending));
        }
        if to_gone || self.is_masked(sending) {
            self.probes.push((from, self.now));
            return Err(Refusal::RecipientUnavailable);
        }
        Ok(self.create(sending))
    }

    pub(super) fn remembered(&self, from: Who, id: Uuid) -> Option<Request> {
        let kept = |request: &&Request| request.time.plus(self.policy.request_kept) > self.now;
        let mut requests = self.requests.iter().rev().filter(kept);
        requests
            .find(|request| request.from == from && request.id == id)
            .cloned()
    }

    /// Takes what connection-service said with the sending; whether it says that inviter or invitee were erased.
    pub(super) fn listen(&mut self, sending: &Sending) -> (bool, bool) {
        let (from, to) = (sending.from, sending.to);
        let mut gone = (false, self.is_erased(to));
        if let Some(told) = &sending.told {
            let Sides { low, high } = told.erased;
            let told_gone = if from < to { (low, high) } else { (high, low) };
            gone = (told_gone.0, gone.1 || told_gone.1);
            // What says nothing new is not kept.
            if told.erased == Sides::default() && told.facts != self.facts(from, to) {
                let between = (from.min(to), from.max(to));
                self.hear(between, &told.facts, told.position, self.followed);
            }
        }
        gone
    }

    /// Whom a member could invite, as far as the member's own side determines it.
    pub(crate) fn eligibility(&self, from: Who) -> Result<Vec<Option<Refusal>>, Refusal> {
        if self.is_erased(from) {
            return Err(Refusal::MemberNotFound);
        }
        let max = usize::try_from(self.policy.connections_max).unwrap();
        let refusal = |to| match self.own_side(from, to) {
            _ if from == to => Some(Refusal::SelfReference),
            Ok(Some(_)) if self.connections(from) >= max => Some(Refusal::ConnectionLimitReached),
            Ok(_) => None,
            Err(refusal) => Some(refusal),
        };
        Ok((0..self.members.len()).map(refusal).collect())
    }

    /// What the inviter's own side determines: a refusal, the invitation that is accepted by sending, or nothing.
    fn own_side(&self, from: Who, to: Who) -> Result<Option<usize>, Refusal> {
        if self.facts(from, to).connection.is_some() {
            return Err(Refusal::AlreadyConnected);
        }
        let live = self
            .invitations
            .iter()
            .position(|i| i.is_between(from, to) && i.is_live());
        if let Some(number) = live {
            let invitation_id = self.invitations[number].id;
            return if self.invitations[number].from == from {
                Err(Refusal::InvitationPending { invitation_id })
            } else {
                Ok(Some(number))
            };
        }
        let policy = &self.policy;
        if self.has_blocked(from, to) {
            return Err(Refusal::MemberBlockedByYou);
        }
        let withdrawn = self
            .withdrawals
            .iter()
            .filter(|(f, t, _)| (*f, *t) == (from, to));
        let free = withdrawn
            .map(|(_, _, time)| time.plus(policy.withdraw_cooldown))
            .max();
        if let Some(retry_time) = free.filter(|free| *free > self.now) {
            return Err(Refusal::ResendCooldown { retry_time });
        }
        let quota = self.quota_in_force(from);
        if quota.used >= quota.weekly_cap {
            return Err(Refusal::WeeklyCapReached {
                weekly_cap: quota.weekly_cap,
                used: quota.used,
                next_place_time: quota.next_place_time,
            });
        }
        if quota.pending_sent >= quota.pending_cap {
            let pending_cap = quota.pending_cap;
            return Err(Refusal::PendingCapReached { pending_cap });
        }
        if self.connections(from) >= usize::try_from(policy.connections_max).unwrap() {
            return Err(Refusal::ConnectionLimitReached);
        }
        let (window, max) = (policy.probe_window, policy.probe_refusals_max);
        if Self::count_within(&self.probes, from, self.now, window) >= max {
            let retry_time = self.room_at(&self.probes, from, window, max).unwrap();
            return Err(Refusal::ProbeLimitReached { retry_time });
        }
        Ok(None)
    }

    pub(super) fn is_masked(&self, sending: &Sending) -> bool {
        let Sending { from, to, .. } = *sending;
        let known_to_have_mutual = sending.told.as_ref().and_then(|told| told.have_mutual);
        let closed = match self.preferences[to].who_can_invite {
            WhoCanInvite::Everyone => false,
            WhoCanInvite::SecondDegree => known_to_have_mutual != Some(true),
            WhoCanInvite::Nobody => true,
        };
        let declined_lately = self.invitations.iter().any(|i| match i.fate {
            Fate::Declined { at, history, .. } if (i.from, i.to) == (from, to) => {
                let mut since = self.history[history..].iter();
                let ended = since.any(|event| match *event {
                    Event::Sent { from: f, to: t } => (f, t) == (to, from),
                    Event::Connected(a, b) => (a, b) == (from.min(to), from.max(to)),
                    Event::Blocked(..) => false,
                });
                !ended && at.plus(self.policy.decline_cooldown) > self.now
            }
            _ => false,
        });
        self.has_blocked(to, from)
            || self
                .bars
                .iter()
                .any(|bar| (bar.by, bar.against) == (to, from))
            || closed
            || declined_lately
    }

    pub(super) fn create(&mut self, sending: &Sending) -> Answered {
        let Sending { from, to, .. } = *sending;
        let now = self.now;
        let waiting = |i: &&Invitation| i.to == to && i.is_live() && !i.filtered;
        let received = self.invitations.iter().filter(waiting).count();
        let told_position = sending.told_position();
        self.invitations.push(Invitation {
            id: sending.new_id,
            from,
            to,
            note: sending.note.clone(),
            source: sending.source.clone(),
            create_time: now,
            filtered: received
                >= usize::try_from(self.limits[to].pending_received_soft_max).unwrap(),
            seen: false,
            seen_is_uncertain: false,
            fate: Fate::Pending,
            counts_as: CountsAs::Unanswered,
            acceptances: 0,
            crossed_by: None,
            decided_at: self.known_to(from, to).max(told_position),
            changed: [now, now],
        });
        self.keep_position(sending);
        self.charges.push((from, now));
        self.history.push(Event::Sent { from, to });
        let invitation = self.invitations.last().unwrap();
        let answered = Answered {
            view: self.view(invitation, from).unwrap(),
            outcome: CameTo::Sent,
            quota: self.quota_in_force(from),
        };
        self.remember(sending, &answered, Remembered::Sent(answered.view.clone()));
        answered
    }

    /// What was read with a sending that changed something is known from then on.
    pub(super) fn keep_position(&mut self, sending: &Sending) {
        let Sending { from, to, .. } = *sending;
        if sending.told_position() > self.known_to(from, to) {
            let facts = self.facts(from, to);
            self.known.push(Known {
                between: (from.min(to), from.max(to)),
                facts,
                position: sending.told_position(),
            });
        }
    }

    pub(super) fn cross(&mut self, number: usize, sending: &Sending) -> Answered {
        self.start_accepting(number);
        self.keep_position(sending);
        let invitation = &mut self.invitations[number];
        invitation.crossed_by = invitation.crossed_by.or(sending.request);
        let is_first = invitation.crossed_by == sending.request;
        let invitation = &self.invitations[number];
        let answered = Answered {
            view: self.view(invitation, sending.from).unwrap(),
            outcome: CameTo::Accepting(self.awaited(invitation)),
            quota: self.quota_in_force(sending.from),
        };
        if is_first || !ONLY_THE_FIRST_CROSSING_IS_REMEMBERED {
            self.remember(sending, &answered, Remembered::Crossing(Crossing::Awaited));
        }
        answered
    }

    pub(super) fn remember(&mut self, sending: &Sending, answered: &Answered, answer: Remembered) {
        let Some(id) = sending.request else { return };
        self.requests.push(Request {
            from: sending.from,
            id,
            content: (sending.to, sending.note.clone(), sending.source.clone()),
            time: self.now,
            invitation: answered.view.id,
            quota: answered.quota,
            answer,
        });
    }

    pub(super) fn repeated(&self, request: &Request) -> Answered {
        let invitation = self
            .invitations
            .iter()
            .find(|i| i.id == request.invitation)
            .unwrap();
        let view = self.view(invitation, request.from);
        // An invitation that is shown no more, without what was erased with it.
        let erased = |place, shown, update_time, seen| View {
            id: invitation.id,
            inviter: self.members[invitation.from].clone(),
            invitee: self.members[invitation.to].clone(),
            place,
            shown,
            note: Note::default(),
            source: Source::default(),
            create_time: invitation.create_time,
            update_time,
            expire_time: None,
            seen: Some(seen),
        };
        let (view, outcome) = match &request.answer {
            Remembered::Sent(view) => (view.clone(), CameTo::Sent),
            Remembered::Crossing(Crossing::Awaited) => {
                (view.unwrap(), CameTo::Accepting(self.awaited(invitation)))
            }
            // Said even when the connection is gone; then without what was erased with it.
            Remembered::Crossing(Crossing::Connected(connect_time)) => {
                let erased = || erased(Place::Accepted, Shown::Accepted, *connect_time, true);
                let view = view.unwrap_or_else(erased);
                (view, CameTo::Connected)
            }
            // Answered as when it was accepted, but for the note, which was erased.
            Remembered::Crossing(Crossing::Ended) => {
                let seen = invitation.seen;
                let view = erased(Place::Received, Shown::Accepting, request.time, seen);
                (view, CameTo::Ended)
            }
        };
        Answered {
            view,
            outcome,
            quota: request.quota,
        }
    }

    pub(super) fn start_accepting(&mut self, number: usize) {
        let now = self.now;
        let invitation = &mut self.invitations[number];
        if invitation.fate == Fate::Pending {
            invitation.fate = Fate::Accepting {
                since: now,
                overtaken: false,
            };
            invitation.acceptances += 1;
            invitation.crossed_by = None;
            invitation.changed[1] = now;
        }
    }

    pub(super) fn awaited(&self, invitation: &Invitation) -> AwaitedVerdict {
        let Fate::Accepting { since, .. } = invitation.fate else {
            panic!("only what is being accepted awaits a verdict");
        };
        AwaitedVerdict {
            trace: None,
            invitation_id: invitation.id,
            acceptance: invitation.acceptances,
            accept_time: since,
            inviter: self.members[invitation.from].clone(),
            invitee: self.members[invitation.to].clone(),
        }
    }
}

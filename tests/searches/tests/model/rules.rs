//! The rules once more, as plainly as they can be written: every invitation ever sent in one vector, everything else counted from it anew.
//!
//! Written from the behaviour, not from the code: of the service it borrows ids, times, numbers and the words of its answers. Deliberately
//! absent: anything that would make it fast.

mod answers;
mod limits;
mod own;
mod sending;
mod shown;
mod standing;
mod word;

use invitation_service::{
    domain::{
        member::{Preferences, Quota},
        note::{Note, Source},
        pair::{DeclineReason, Facts},
        plan::Limits,
        policy::Policy,
        standing::Outcome,
        view::View,
    },
    store::command::{AwaitedVerdict, send::Told},
};
use service_kit::{
    id::{MemberId, Sides},
    time::{Span, Time},
};
use uuid::Uuid;

use self::standing::{CountsAs, overdue_at};
use super::command::Who;

/// What has become of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pending,
    Accepting {
        since: Time,
        /// A block has come meanwhile.
        overtaken: bool,
    },
    Accepted {
        connect_time: Time,
        known: Time,
    },
    Declined {
        at: Time,
        reason: DeclineReason,
        /// How much had happened by then.
        history: usize,
    },
    Withdrawn {
        at: Time,
    },
    Gone,
}

/// An invitation.
#[derive(Debug, Clone)]
struct Invitation {
    id: Uuid,
    from: Who,
    to: Who,
    note: Note,
    source: Source,
    create_time: Time,
    filtered: bool,
    seen: bool,
    /// Whether it stood in no list when its receiver marked what was received as seen.
    seen_is_uncertain: bool,
    fate: Fate,
    /// What it counts as for whoever sent it.
    counts_as: CountsAs,
    acceptances: u32,
    /// The request id of the first crossing that has met the acceptance under way.
    crossed_by: Option<Uuid>,
    /// How far connection-service's word was known when it was sent.
    decided_at: u64,
    /// When it last changed for the inviter and for the invitee.
    changed: [Time; 2],
}

impl Invitation {
    fn is_live(&self) -> bool {
        matches!(self.fate, Fate::Pending | Fate::Accepting { .. })
    }

    fn is_between(&self, a: Who, b: Who) -> bool {
        (self.from, self.to) == (a, b) || (self.from, self.to) == (b, a)
    }
}

/// What happens between two members that a decline cannot be taken back over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Sent {
        from: Who,
        to: Who,
    },
    Connected(Who, Who),
    /// A block that was read at a position.
    Blocked(Who, Who, u64),
}

/// A request that was answered with success.
#[derive(Debug, Clone)]
struct Request {
    from: Who,
    id: Uuid,
    content: (Who, Note, Source),
    time: Time,
    invitation: Uuid,
    quota: Quota,
    /// What it was answered with; of a crossing, the state of the other's invitation.
    answer: Remembered,
}

#[derive(Debug, Clone)]
enum Remembered {
    Sent(View),
    Crossing(Crossing),
}

/// What came of the acceptance that a request began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crossing {
    Awaited,
    Connected(Time),
    Ended,
}

/// A bar and the decline that set it.
#[derive(Debug, Clone, Copy)]
struct Bar {
    against: Who,
    by: Who,
    reason: DeclineReason,
    time: Time,
    invitation: Uuid,
}

/// What is known of connection-service's facts of two members, and where that was read.
#[derive(Debug, Clone)]
struct Known {
    between: (Who, Who),
    facts: Facts,
    position: u64,
}

/// What a sending is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) view: View,
    pub(crate) outcome: CameTo,
    pub(crate) quota: Quota,
}

/// What a sending came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CameTo {
    Sent,
    Accepting(AwaitedVerdict),
    Connected,
    Ended,
}

/// What accepting is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Accepting {
    Awaited(View, AwaitedVerdict),
    Connected(View, Time),
}

/// What an ending, or taking one back, is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ending {
    Done(View),
    Awaits(AwaitedVerdict),
}

/// An invitation to send.
#[derive(Debug, Clone)]
pub(crate) struct Sending {
    pub(crate) from: Who,
    pub(crate) to: Who,
    pub(crate) note: Note,
    pub(crate) source: Source,
    pub(crate) request: Option<Uuid>,
    pub(crate) told: Option<Told>,
    /// The id that a new invitation gets.
    pub(crate) new_id: Uuid,
}

impl Sending {
    /// Where connection-service's word was read, if it is to be heeded.
    fn told_position(&self) -> u64 {
        let told = self
            .told
            .as_ref()
            .filter(|told| told.erased == Sides::default());
        told.map_or(0, |told| told.position)
    }
}

/// Everything that has happened among the members.
pub(crate) struct Model {
    policy: Policy,
    members: Vec<MemberId>,
    /// The time: the latest that the clock ever showed.
    pub(crate) now: Time,
    followed: u64,
    invitations: Vec<Invitation>,
    history: Vec<Event>,
    charges: Vec<(Who, Time)>,
    probes: Vec<(Who, Time)>,
    withdrawals: Vec<(Who, Who, Time)>,
    requests: Vec<Request>,
    bars: Vec<Bar>,
    known: Vec<Known>,
    preferences: Vec<Preferences>,
    /// What each member's plan grants.
    limits: Vec<Limits>,
    erased: Vec<Who>,
}

impl Model {
    /// Nothing has happened yet.
    pub(crate) fn new(policy: &Policy, members: &[MemberId], now: Time, followed: u64) -> Self {
        Self {
            policy: policy.clone(),
            members: members.to_vec(),
            now,
            followed,
            invitations: Vec::new(),
            history: Vec::new(),
            charges: Vec::new(),
            probes: Vec::new(),
            withdrawals: Vec::new(),
            requests: Vec::new(),
            bars: Vec::new(),
            known: Vec::new(),
            preferences: vec![Preferences::default(); members.len()],
            limits: vec![policy.basic(); members.len()],
            erased: Vec::new(),
        }
    }

    /// The clock shows a time.
    pub(crate) fn clock(&mut self, at: Time) {
        self.now = self.now.max(at);
        self.expire();
    }

    fn expire(&mut self) {
        for invitation in &mut self.invitations {
            let over = match invitation.fate {
                Fate::Pending => {
                    invitation.create_time.plus(self.policy.invitation_lifetime) <= self.now
                }
                Fate::Accepted { known, .. } => known.plus(self.policy.accepted_kept) <= self.now,
                _ => false,
            };
            if over {
                if invitation.fate == Fate::Pending {
                    invitation.counts_as = CountsAs::Outcome(Outcome::Expired, self.now);
                }
                invitation.fate = Fate::Gone;
            }
        }
    }

    /// The next moments at which time alone changes something, in order.
    pub(crate) fn borders(&self) -> Vec<Time> {
        let policy = &self.policy;
        let mut borders = Vec::new();
        for invitation in &self.invitations {
            let expires = invitation.create_time.plus(policy.invitation_lifetime);
            match invitation.fate {
                Fate::Pending | Fate::Accepting { .. } => borders.push(expires),
                Fate::Accepted { known, .. } => borders.push(known.plus(policy.accepted_kept)),
                Fate::Declined { at, .. } => {
                    borders.extend([at.plus(policy.ended_kept), at.plus(policy.decline_cooldown)]);
                }
                Fate::Withdrawn { at } => borders.push(at.plus(policy.ended_kept)),
                Fate::Gone => {}
            }
            borders.push(overdue_at(invitation.create_time));
            let days = self.preferences[invitation.from].auto_withdraw_days;
            borders
                .extend(days.map(|days| invitation.create_time.plus(Span::days(i64::from(days)))));
        }
        let within = |log: &[(Who, Time)], window: Span| -> Vec<Time> {
            let leaves = log.iter().map(|(_, time)| time.plus(window));
            leaves
                .flat_map(|time| [time, time.ceil_to_second()])
                .collect()
        };
        borders.extend(within(&self.charges, policy.weekly_window));
        borders.extend(within(&self.probes, policy.probe_window));
        borders.extend(
            self.requests
                .iter()
                .map(|request| request.time.plus(policy.request_kept)),
        );
        borders.extend(
            self.withdrawals
                .iter()
                .map(|(_, _, time)| time.plus(policy.withdraw_cooldown)),
        );
        borders.retain(|border| *border > self.now);
        borders.sort_unstable();
        borders.dedup();
        borders
    }

    /// Whether a member was erased.
    pub(crate) fn is_erased(&self, who: Who) -> bool {
        self.erased.contains(&who)
    }

    /// Whether it is uncertain that a member has seen an invitation, and if so what this model takes it for.
    pub(crate) fn uncertainly_seen(&self, id: &Uuid) -> Option<bool> {
        let invitation = self
            .invitations
            .iter()
            .find(|invitation| invitation.id == *id)?;
        invitation.seen_is_uncertain.then_some(invitation.seen)
    }
}

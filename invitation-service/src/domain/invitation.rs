//! One invitation, how far it can come, and what each of its two members sees of it.
//!
//! What a member sees is decided here once, by [`place`] and [`shown`]: lists, counts, events, look-ups and batches all follow from them.
//! Deliberately absent: which changes are allowed (the verbs beside this file), and the texts that travel with an invitation.

use serde::{Deserialize, Serialize};
use service_kit::{id::Side, time::Time};
use uuid::Uuid;

/// What an invitation is, apart from how far it has come and its texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// A UUIDv7; sorts by the time of sending.
    pub id: Uuid,
    /// Which side of the pair invites.
    pub inviter: Side,
    /// Whether the invitee had too many waiting when it came.
    pub filtered: bool,
    /// When it was sent.
    pub create_time: Time,
    /// When it expires if it is pending then.
    pub expire_time: Time,
    /// The position in connection-service's feed up to which facts were known when it was last made pending: only later ones can end it.
    pub decided_at: u64,
    /// How often it has been accepted; the number of the latest acceptance.
    pub acceptances: u32,
    /// The position of its latest event; 0 before the first.
    pub last_event: u64,
}

impl Invitation {
    /// Which side of the pair is invited.
    pub fn invitee(&self) -> Side {
        self.inviter.other()
    }

    /// What a side of the pair is to this invitation.
    pub fn role(&self, side: Side) -> Role {
        if side == self.inviter {
            Role::Inviter
        } else {
            Role::Invitee
        }
    }
}

/// What a member is to an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Who invites.
    Inviter,
    /// Who is invited.
    Invitee,
}

impl Role {
    /// Both roles.
    pub const BOTH: [Self; 2] = [Self::Inviter, Self::Invitee];
}

/// How far an invitation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Not sent yet.
    Absent,
    /// Unanswered.
    Pending,
    /// Accepted for good; connection-service has not given its verdict.
    Accepting,
    /// Accepted and connected.
    Accepted {
        /// The moment the connection was made.
        connect_time: Time,
    },
    /// Declined by the invitee.
    Declined,
    /// Withdrawn by the inviter.
    Withdrawn,
    /// Ended without a trace: expired, or overtaken by a block, a removal, an erasure, or forgotten after its time.
    Gone,
}

/// Where a member keeps an invitation. A member who has no place for one cannot find it by any method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// The list of those sent and live.
    Sent,
    /// The list of those received and live.
    Received,
    /// The list of those received and live while too many were waiting.
    Filtered,
    /// Those the member has withdrawn lately.
    Withdrawn,
    /// Those the member has declined lately.
    Declined,
    /// Those that became a connection, on either side.
    Accepted,
}

impl Place {
    /// Every place.
    pub const ALL: [Self; 6] = [
        Self::Sent,
        Self::Received,
        Self::Filtered,
        Self::Withdrawn,
        Self::Declined,
        Self::Accepted,
    ];

    /// Whether this is one of a member's three lists, in which live invitations stand.
    pub fn is_list(self) -> bool {
        matches!(self, Self::Sent | Self::Received | Self::Filtered)
    }
}

/// Where the member in this role keeps an invitation in this state, if anywhere.
pub fn place(state: State, role: Role, filtered: bool) -> Option<Place> {
    match (state, role) {
        (State::Pending | State::Accepting, Role::Inviter) => Some(Place::Sent),
        (State::Pending | State::Accepting, Role::Invitee) if filtered => Some(Place::Filtered),
        (State::Pending | State::Accepting, Role::Invitee) => Some(Place::Received),
        (State::Accepted { .. }, _) => Some(Place::Accepted),
        (State::Declined, Role::Invitee) => Some(Place::Declined),
        (State::Withdrawn, Role::Inviter) => Some(Place::Withdrawn),
        (State::Declined | State::Withdrawn | State::Absent | State::Gone, _) => None,
    }
}

/// How far an invitation has come for whoever looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Unanswered, as far as this member may know.
    Pending,
    /// Accepted; the connection is being made.
    Accepting,
    /// Accepted and connected.
    Accepted,
    /// Declined by this member.
    Declined,
    /// Withdrawn by this member.
    Withdrawn,
}

/// What the member in this role is shown of this state; the inviter sees an invitation pending until the connection is made.
pub fn shown(state: State, role: Role) -> Option<Shown> {
    match (state, role) {
        (State::Pending, _) | (State::Accepting, Role::Inviter) => Some(Shown::Pending),
        (State::Accepting, Role::Invitee) => Some(Shown::Accepting),
        (State::Accepted { .. }, _) => Some(Shown::Accepted),
        (State::Declined, Role::Invitee) => Some(Shown::Declined),
        (State::Withdrawn, Role::Inviter) => Some(Shown::Withdrawn),
        (State::Declined | State::Withdrawn | State::Absent | State::Gone, _) => None,
    }
}

/// What a change does to one member's lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing that the member's lists show.
    None,
    /// The invitation came into a list.
    Appeared,
    /// It stands in its list in another way.
    Changed,
    /// It left its list.
    Gone,
}

/// Why an invitation changed, where the states before and after do not say it: for services' events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happening {
    /// It was sent.
    Sent,
    /// It was accepted; the connection is being made.
    Accepting,
    /// A connection limit stood against the acceptance.
    Returned,
    /// The connection exists.
    Accepted,
    /// It was declined.
    Declined,
    /// The decline was taken back.
    DeclineUndone,
    /// It was withdrawn.
    Withdrawn,
    /// It expired, or its inviter's auto-withdrawal ended it.
    Expired,
    /// A block, a connection made elsewhere, a removal or an erasure ended it.
    Ended,
    /// Its time after the end is over, or its connection ended: its rows go, and nobody's list changes.
    Forgotten,
}

/// One step in the life of an invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// Which invitation, as it is after the step.
    pub invitation: Invitation,
    /// How far it had come.
    pub from: State,
    /// How far it has come.
    pub to: State,
    /// Why.
    pub happening: Happening,
}

impl Transition {
    /// What this step does to the lists of the member in a role.
    pub fn effect(&self, role: Role) -> Effect {
        let filtered = self.invitation.filtered;
        let listed = |state| place(state, role, filtered).is_some_and(Place::is_list);
        match (listed(self.from), listed(self.to)) {
            (false, true) => Effect::Appeared,
            (true, false) => Effect::Gone,
            (true, true) if shown(self.from, role) != shown(self.to, role) => Effect::Changed,
            (true, true) | (false, false) => Effect::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTED: State = State::Accepted {
        connect_time: Time::ZERO,
    };

    #[test]
    fn each_side_keeps_and_sees_only_what_is_its_own() {
        use Role::{Invitee, Inviter};
        let check = |state, role, expected: Option<(Place, Shown)>| {
            let seen = place(state, role, false).zip(shown(state, role));
            assert_eq!(seen, expected, "{state:?} for {role:?}");
        };
        check(State::Pending, Inviter, Some((Place::Sent, Shown::Pending)));
        check(
            State::Pending,
            Invitee,
            Some((Place::Received, Shown::Pending)),
        );
        check(
            State::Accepting,
            Inviter,
            Some((Place::Sent, Shown::Pending)),
        );
        check(
            State::Accepting,
            Invitee,
            Some((Place::Received, Shown::Accepting)),
        );
        check(CONNECTED, Inviter, Some((Place::Accepted, Shown::Accepted)));
        check(CONNECTED, Invitee, Some((Place::Accepted, Shown::Accepted)));
        check(State::Declined, Inviter, None);
        check(
            State::Declined,
            Invitee,
            Some((Place::Declined, Shown::Declined)),
        );
        check(
            State::Withdrawn,
            Inviter,
            Some((Place::Withdrawn, Shown::Withdrawn)),
        );
        check(State::Withdrawn, Invitee, None);
        check(State::Gone, Inviter, None);
        check(State::Gone, Invitee, None);
        check(State::Absent, Inviter, None);
        check(State::Absent, Invitee, None);
    }

    #[test]
    fn leaving_a_list_is_the_same_for_whatever_reason() {
        let invitation = Invitation {
            id: Uuid::nil(),
            inviter: Side::Low,
            filtered: false,
            create_time: Time::ZERO,
            expire_time: Time::ZERO,
            decided_at: 0,
            acceptances: 0,
            last_event: 0,
        };
        let step = |from, to| Transition {
            invitation: invitation.clone(),
            from,
            to,
            happening: Happening::Ended,
        };
        for end in [CONNECTED, State::Declined, State::Withdrawn, State::Gone] {
            for role in Role::BOTH {
                assert_eq!(
                    step(State::Pending, end).effect(role),
                    Effect::Gone,
                    "{end:?}"
                );
            }
        }
        let accepting = step(State::Pending, State::Accepting);
        assert_eq!(accepting.effect(Role::Inviter), Effect::None);
        assert_eq!(accepting.effect(Role::Invitee), Effect::Changed);
        let forgotten = step(State::Withdrawn, State::Gone);
        assert_eq!(forgotten.effect(Role::Inviter), Effect::None);
    }
}

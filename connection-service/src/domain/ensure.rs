//! What becomes of an acceptance: the one way in which two members are connected.
//!
//! Decided once for each acceptance and repeated for ever after, so that a late repeat never brings a removed connection back.
//! Deliberately absent: the invitation itself, which its own service has decided about before.

use service_kit::id::{Side, Sides};
use service_kit::time::Time;
use uuid::Uuid;

use super::member::Party;
use super::pair::{Connection, Pair};
use super::policy::Policy;

/// An acceptance that asks for its connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acceptance {
    /// The accepted invitation.
    pub invitation: Uuid,
    /// Which acceptance of that invitation: 1, 2, …
    pub number: u32,
    /// When it was accepted.
    pub accept_time: Time,
    /// The side of the pair that accepted.
    pub acceptor: Side,
}

/// Whose connections are full.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Full {
    /// The member who accepted.
    Acceptor,
    /// The member who had invited.
    Inviter,
}

/// What became of an acceptance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It connected the two.
    Created {
        /// The moment of it.
        connect_time: Time,
    },
    /// The two were connected already.
    Already {
        /// Since when.
        connect_time: Time,
    },
    /// A connection limit stood against it.
    Refused(Full),
    /// One of the two removed the connection at or after the acceptance.
    Removed,
    /// A block stood against it.
    Blocked,
    /// One of the two was erased.
    Erased,
    /// A later acceptance of the same invitation was decided before this one arrived.
    Superseded,
}

/// The verdict that is kept for an invitation: that of its latest acceptance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StoredVerdict {
    /// Which acceptance.
    pub number: u32,
    /// What became of it.
    pub verdict: Verdict,
    /// The last position of the feed when it was given.
    pub position: u64,
    /// When it was given.
    pub decide_time: Time,
}

/// A verdict, and whether it is a new one that must be stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ruling {
    /// Given before, or too late: nothing changes.
    Repeated(Verdict),
    /// Decided now.
    New(Verdict),
}

/// Decides an acceptance. Connects the pair when the ruling is a new [`Verdict::Created`], else leaves it as it was.
pub fn decide(
    stored: Option<&StoredVerdict>,
    pair: &mut Pair,
    parties: &Sides<Party>,
    acceptance: &Acceptance,
    policy: &Policy,
    now: Time,
) -> Ruling {
    if let Some(stored) = stored {
        if stored.number == acceptance.number {
            return Ruling::Repeated(stored.verdict);
        }
        if stored.number > acceptance.number {
            return Ruling::Repeated(Verdict::Superseded);
        }
    }
    let acceptor = parties.get(acceptance.acceptor);
    let inviter = parties.get(acceptance.acceptor.other());
    let (Party::Present(acceptor), Party::Present(inviter)) = (acceptor, inviter) else {
        return Ruling::New(Verdict::Erased);
    };
    let verdict = if pair.is_blocked() {
        Verdict::Blocked
    } else if let Some(connection) = pair.connection {
        Verdict::Already {
            connect_time: connection.connect_time,
        }
    } else if pair.removed_since(acceptance.accept_time, policy.removal_mark_kept, now) {
        Verdict::Removed
    } else if acceptor.connections >= policy.connections_max {
        Verdict::Refused(Full::Acceptor)
    } else if inviter.connections >= policy.connections_max {
        Verdict::Refused(Full::Inviter)
    } else {
        pair.connection = Some(Connection {
            connect_time: now,
            invitation: Some(acceptance.invitation),
        });
        Verdict::Created { connect_time: now }
    };
    Ruling::New(verdict)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, connected_at, strangers};
    use super::super::member::Member;
    use super::*;

    const NOW: i64 = 1_000;
    const ACCEPTED: i64 = 500;

    fn policy() -> Policy {
        Policy {
            connections_max: 3,
            ..Policy::default()
        }
    }

    fn with(connections_low: u32, connections_high: u32) -> Sides<Party> {
        let member = |connections| {
            Party::Present(Member {
                connections,
                ..Member::default()
            })
        };
        Sides {
            low: member(connections_low),
            high: member(connections_high),
        }
    }

    fn blocked_by(side: Side) -> Pair {
        let mut pair = Pair::default();
        *pair.blocked.get_mut(side) = Some(at(1));
        pair
    }

    fn removed_at(side: Side, millis: i64) -> Pair {
        let mut pair = Pair::default();
        *pair.removed.get_mut(side) = Some(at(millis));
        pair
    }

    /// Decides the first acceptance, by the higher member.
    fn check(mut pair: Pair, parties: Sides<Party>, expected: Verdict) {
        let before = pair;
        let acceptance = Acceptance {
            invitation: Uuid::from_u128(1),
            number: 1,
            accept_time: at(ACCEPTED),
            acceptor: Side::High,
        };
        let ruling = decide(None, &mut pair, &parties, &acceptance, &policy(), at(NOW));
        assert_eq!(ruling, Ruling::New(expected), "{before:?} {parties:?}");
        if expected
            == (Verdict::Created {
                connect_time: at(NOW),
            })
        {
            let made = Connection {
                connect_time: at(NOW),
                invitation: Some(Uuid::from_u128(1)),
            };
            let connected = Pair {
                connection: Some(made),
                ..before
            };
            assert_eq!(pair, connected);
        } else {
            assert_eq!(pair, before, "only a created connection changes the pair");
        }
    }

    #[test]
    fn a_new_acceptance_is_decided_by_the_first_rule_that_applies() {
        let created = Verdict::Created {
            connect_time: at(NOW),
        };
        let erased = |low: bool| {
            let mut parties = strangers();
            *parties.get_mut(if low { Side::Low } else { Side::High }) = Party::Erased;
            parties
        };
        check(Pair::default(), strangers(), created);
        check(Pair::default(), erased(true), Verdict::Erased);
        check(blocked_by(Side::Low), erased(false), Verdict::Erased);
        check(blocked_by(Side::Low), strangers(), Verdict::Blocked);
        check(blocked_by(Side::High), with(3, 3), Verdict::Blocked);
        check(
            connected_at(7),
            with(3, 3),
            Verdict::Already {
                connect_time: at(7),
            },
        );
        check(
            removed_at(Side::Low, ACCEPTED),
            with(3, 3),
            Verdict::Removed,
        );
        check(
            removed_at(Side::High, ACCEPTED + 1),
            strangers(),
            Verdict::Removed,
        );
        check(removed_at(Side::High, ACCEPTED - 1), strangers(), created);
        check(Pair::default(), with(2, 2), created);
        check(
            Pair::default(),
            with(3, 3),
            Verdict::Refused(Full::Acceptor),
        );
        check(
            Pair::default(),
            with(2, 3),
            Verdict::Refused(Full::Acceptor),
        );
        check(Pair::default(), with(3, 2), Verdict::Refused(Full::Inviter));
        check(Pair::default(), with(4, 0), Verdict::Refused(Full::Inviter));
    }

    #[test]
    fn a_verdict_is_repeated_and_a_lower_number_is_never_decided() {
        let verdicts = [
            Verdict::Created {
                connect_time: at(3),
            },
            Verdict::Already {
                connect_time: at(3),
            },
            Verdict::Refused(Full::Inviter),
            Verdict::Removed,
            Verdict::Blocked,
            Verdict::Erased,
        ];
        for verdict in verdicts {
            let stored = StoredVerdict {
                number: 2,
                verdict,
                position: 9,
                decide_time: at(4),
            };
            for (number, expected) in [
                (1, Ruling::Repeated(Verdict::Superseded)),
                (2, Ruling::Repeated(verdict)),
                (
                    3,
                    Ruling::New(Verdict::Created {
                        connect_time: at(NOW),
                    }),
                ),
            ] {
                let mut pair = Pair::default();
                let acceptance = Acceptance {
                    invitation: Uuid::from_u128(1),
                    number,
                    accept_time: at(ACCEPTED),
                    acceptor: Side::Low,
                };
                let ruling = decide(
                    Some(&stored),
                    &mut pair,
                    &strangers(),
                    &acceptance,
                    &policy(),
                    at(NOW),
                );
                assert_eq!(ruling, expected, "{verdict:?} {number}");
                assert_eq!(pair.connection.is_some(), number == 3);
            }
        }
    }
}

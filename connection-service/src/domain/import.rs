//! Moving in a connection that was made elsewhere, and the account of many such.
//!
//! What stands between two members here outweighs what they were to each other elsewhere. Deliberately absent: invitations. One that is
//! live between the two is ended by its own service, which is told of the connection.

use service_kit::id::Sides;
use service_kit::time::Time;

use super::member::Party;
use super::pair::{Connection, Pair};
use super::policy::Policy;

/// How many rows are named for each reason.
pub const EXAMPLES_MAX: usize = 20;

/// Why a row is refused; the order is the precedence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// An id is not a member id.
    MalformedId,
    /// There is no time, or it is none.
    MalformedTime,
    /// Both are the same member.
    SelfReference,
    /// The time is later than the store's.
    FutureTime,
    /// One of the two was erased.
    Erased,
    /// One of the two has blocked the other.
    Blocked,
    /// One of the two has removed the other since.
    Removed,
    /// One of the two has as many connections as are allowed.
    ConnectionLimit,
}

/// What becomes of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It connected the two.
    Created,
    /// The two were connected already.
    Existing,
    /// It came to nothing.
    Refused(Reason),
}

/// Decides a row whose connection was made at `connect_time`. Connects the pair when the outcome is [`Outcome::Created`], else leaves it as
/// it was.
pub fn decide(
    pair: &mut Pair,
    parties: &Sides<Party>,
    connect_time: Time,
    policy: &Policy,
    now: Time,
) -> Outcome {
    if connect_time > now {
        return Outcome::Refused(Reason::FutureTime);
    }
    let (Party::Present(low), Party::Present(high)) = (parties.low, parties.high) else {
        return Outcome::Refused(Reason::Erased);
    };
    if pair.connection.is_some() {
        return Outcome::Existing;
    }
    if pair.is_blocked() {
        return Outcome::Refused(Reason::Blocked);
    }
    if pair.removed_since(connect_time, policy.removal_mark_kept, now) {
        return Outcome::Refused(Reason::Removed);
    }
    if low.connections.max(high.connections) >= policy.connections_max {
        return Outcome::Refused(Reason::ConnectionLimit);
    }
    pair.connection = Some(Connection {
        connect_time,
        invitation: None,
    });
    Outcome::Created
}

/// The refused rows of one reason.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Refused {
    /// How many.
    pub count: u64,
    /// The numbers of the first [`EXAMPLES_MAX`], in order.
    pub rows: Vec<u64>,
}

/// What became of many rows.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Report {
    /// Rows that connected two members.
    pub created: u64,
    /// Rows of two who were connected already.
    pub existing: u64,
    /// Refused rows, by reason.
    pub refused: std::collections::BTreeMap<Reason, Refused>,
}

impl Report {
    /// Notes what became of the row with this number. Rows may come in any order.
    pub fn note(&mut self, row: u64, outcome: Outcome) {
        match outcome {
            Outcome::Created => self.created += 1,
            Outcome::Existing => self.existing += 1,
            Outcome::Refused(reason) => {
                let refused = self.refused.entry(reason).or_default();
                refused.count += 1;
                if refused.rows.last().is_none_or(|last| row > *last)
                    && refused.rows.len() >= EXAMPLES_MAX
                {
                    return;
                }
                let place = refused.rows.partition_point(|earlier| *earlier < row);
                refused.rows.insert(place, row);
                refused.rows.truncate(EXAMPLES_MAX);
            }
        }
    }

    /// Both accounts as one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.created += other.created;
        self.existing += other.existing;
        for (reason, more) in other.refused {
            let refused = self.refused.entry(reason).or_default();
            refused.count += more.count;
            refused.rows.extend(more.rows);
            refused.rows.sort_unstable();
            refused.rows.truncate(EXAMPLES_MAX);
        }
        self
    }

    /// How many rows there were.
    pub fn rows(&self) -> u64 {
        let refused = self.refused.values().map(|refused| refused.count);
        refused.fold(self.created + self.existing, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use service_kit::id::Side;

    use super::super::fixtures::{at, connected_at, strangers};
    use super::super::member::Member;
    use super::*;

    const NOW: i64 = 1_000;
    const MADE: i64 = 500;

    fn policy() -> Policy {
        Policy {
            connections_max: 3,
            ..Policy::default()
        }
    }

    fn with(low: u32, high: u32) -> Sides<Party> {
        let member = |connections| {
            Party::Present(Member {
                connections,
                ..Member::default()
            })
        };
        Sides {
            low: member(low),
            high: member(high),
        }
    }

    fn erased(side: Side) -> Sides<Party> {
        let mut parties = strangers();
        *parties.get_mut(side) = Party::Erased;
        parties
    }

    fn check(mut pair: Pair, parties: Sides<Party>, made: i64, expected: Outcome) {
        let before = pair;
        let outcome = decide(&mut pair, &parties, at(made), &policy(), at(NOW));
        assert_eq!(outcome, expected, "{before:?} {parties:?} {made}");
        if outcome == Outcome::Created {
            let connection = Some(Connection {
                connect_time: at(made),
                invitation: None,
            });
            assert_eq!(
                pair,
                Pair {
                    connection,
                    ..before
                }
            );
        } else {
            assert_eq!(pair, before, "only a created connection changes the pair");
        }
    }

    #[test]
    fn a_row_is_decided_by_the_first_rule_that_applies() {
        let nothing = Pair::default();
        let (created, refused) = (Outcome::Created, Outcome::Refused);
        check(nothing, strangers(), MADE, created);
        check(nothing, strangers(), NOW, created);
        check(nothing, strangers(), -5, created);
        let late = erased(Side::Low);
        check(nothing, late, NOW + 1, refused(Reason::FutureTime));
        for side in Side::BOTH {
            let (mut blocked, mut removed) = (nothing, nothing);
            *blocked.blocked.get_mut(side) = Some(at(1));
            *removed.removed.get_mut(side) = Some(at(MADE));
            check(blocked, erased(side), MADE, refused(Reason::Erased));
            check(connected_at(7), erased(side), MADE, refused(Reason::Erased));
            check(blocked, with(3, 3), MADE, refused(Reason::Blocked));
            check(removed, with(3, 3), MADE, refused(Reason::Removed));
            check(removed, strangers(), MADE + 1, created);
        }
        check(connected_at(7), with(3, 3), MADE, Outcome::Existing);
        check(nothing, with(2, 2), MADE, created);
        for (low, high) in [(3, 0), (0, 3), (4, 4)] {
            let limit = refused(Reason::ConnectionLimit);
            check(nothing, with(low, high), MADE, limit);
        }
    }

    #[test]
    fn the_report_names_the_first_rows_whatever_order_they_come_in() {
        let refused = Outcome::Refused(Reason::Blocked);
        let mut report = Report::default();
        // All numbers below 101, scattered.
        for row in (0..101).map(|n| n * 37 % 101) {
            report.note(row, refused);
        }
        for (row, outcome) in [
            (101, Outcome::Created),
            (102, Outcome::Existing),
            (103, Outcome::Existing),
            (104, Outcome::Refused(Reason::MalformedId)),
        ] {
            report.note(row, outcome);
        }
        assert_eq!(
            (report.created, report.existing, report.rows()),
            (1, 2, 105)
        );
        let blocked = &report.refused[&Reason::Blocked];
        assert_eq!(blocked.count, 101);
        assert_eq!(blocked.rows, (0..20).collect::<Vec<_>>());
        let (first, _) = report.refused.first_key_value().unwrap();
        assert_eq!(*first, Reason::MalformedId, "in the order of the reasons");
    }
}

//! The generated network: who invites whom, and what becomes of it. Everything follows from an invitation's number.
//!
//! Members join one after the other and each sends [`SENDS_PER_MEMBER`] invitations: some to popular members, the others to those who
//! joined soon after. So some lists are long and most are short, and nobody meets a default limit. Deliberately absent: stores and the wire.

use anyhow::ensure;

/// How many invitations each member sends.
pub(crate) const SENDS_PER_MEMBER: u64 = 10;
/// How many of them go to popular members.
const SENDS_TO_POPULAR: u64 = 4;
/// Among how many popular members these are chosen.
const POPULAR_NEAR: u64 = 10;
/// Each so manyth member is popular.
const POPULAR_EVERY: u64 = 100;
/// The fewest invitations a network is made of; with fewer there are not enough pairs who have not met.
pub(crate) const STORED_MIN: u64 = 30_000;
/// So many members' invitations are sent in scattered order.
const BLOCK_MEMBERS: u64 = 4_096;

/// What becomes of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It waits.
    Pending,
    /// It is accepted.
    Accepted,
    /// It is declined.
    Declined,
    /// It is withdrawn.
    Withdrawn,
}

/// An invitation of the network. Members are numbers from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Planned {
    /// Who invites.
    pub(crate) inviter: u64,
    /// Who is invited.
    pub(crate) invitee: u64,
    /// What becomes of it.
    pub(crate) fate: Fate,
}

/// A network of a certain size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    sends: u64,
    members: u64,
    /// Pairs who have met are no further apart.
    near: u64,
    /// The others are chosen among so many.
    window: u64,
}

impl Network {
    /// The network in which about `stored` invitations are still stored: those declined or withdrawn are forgotten after a day.
    pub(crate) fn new(stored: u64) -> anyhow::Result<Self> {
        ensure!(
            stored >= STORED_MIN,
            "at least {STORED_MIN} invitations are needed"
        );
        // 7 of 100 are declined or withdrawn. The last members invite the first, so popular ones must not shift on the way round.
        let members = (stored * 100 / 93).div_ceil(SENDS_PER_MEMBER);
        let members = members.next_multiple_of(POPULAR_EVERY);
        let window = (members / 8).min(2_000);
        Ok(Self {
            sends: members * SENDS_PER_MEMBER,
            members,
            near: window.max(POPULAR_EVERY * (POPULAR_NEAR + 1)),
            window,
        })
    }

    /// How many invitations are sent in all.
    pub(crate) fn sends(&self) -> u64 {
        self.sends
    }

    /// How many members there are.
    pub(crate) fn members(&self) -> u64 {
        self.members
    }

    /// The invitation with a number below [`Network::sends`].
    pub(crate) fn invitation(&self, number: u64) -> Planned {
        let block = number / (BLOCK_MEMBERS * SENDS_PER_MEMBER) * BLOCK_MEMBERS;
        let size = BLOCK_MEMBERS.min(self.members - block) * SENDS_PER_MEMBER;
        // A step that has no divisor in common with the block's size reaches each of its invitations once.
        let within = (number % (BLOCK_MEMBERS * SENDS_PER_MEMBER)) * 7_919 % size;
        let (inviter, nth) = (block + within / SENDS_PER_MEMBER, within % SENDS_PER_MEMBER);
        Planned {
            inviter,
            invitee: self.invitee(inviter, nth) % self.members,
            fate: match mix(number) % 100 {
                0..28 => Fate::Accepted,
                28..32 => Fate::Declined,
                32..35 => Fate::Withdrawn,
                _ => Fate::Pending,
            },
        }
    }

    /// Always somebody who joined later, and somebody else for each `nth`: no two invitations are between the same members.
    fn invitee(&self, inviter: u64, nth: u64) -> u64 {
        let start = mix(inviter);
        if nth < SENDS_TO_POPULAR {
            let step = 1 + (start + nth * (POPULAR_NEAR / SENDS_TO_POPULAR)) % POPULAR_NEAR;
            return (inviter / POPULAR_EVERY + step) * POPULAR_EVERY;
        }
        let others = SENDS_PER_MEMBER - SENDS_TO_POPULAR;
        let offset =
            1 + (start + (nth - SENDS_TO_POPULAR) * (self.window / others)) % (self.window - 1);
        let other = inviter + offset;
        if (other % self.members).is_multiple_of(POPULAR_EVERY) {
            other + 1
        } else {
            other
        }
    }

    /// How many pairs there are who have not met.
    pub(crate) fn strangers(&self) -> u64 {
        (self.members / 2).saturating_sub(self.near + 1) * self.members
    }

    /// Two who have not met, another pair for each number below [`Network::strangers`], scattered over all members.
    pub(crate) fn stranger(&self, number: u64) -> (u64, u64) {
        let member = self.anybody(number);
        let apart = self.near + 1 + number / self.members;
        (member, (member + apart) % self.members)
    }

    /// A member; all are reached before one comes again.
    pub(crate) fn anybody(&self, number: u64) -> u64 {
        // A prime above any number of members has no divisor in common with it.
        (number % self.members) * 2_654_435_761 % self.members
    }

    /// How many popular members there are.
    pub(crate) fn populars(&self) -> u64 {
        self.members / POPULAR_EVERY
    }

    /// A popular member; all are reached before one comes again.
    pub(crate) fn popular(&self, number: u64) -> u64 {
        let popular = self.populars();
        (number % popular) * 2_654_435_761 % popular * POPULAR_EVERY
    }
}

/// The id of a member.
pub(crate) fn id(member: u64) -> String {
    format!("m{member:011}")
}

/// The member whom so many are connected with, and nobody of the network.
pub(crate) const HUB: &str = "hub";
/// How many those are: as many as are allowed.
pub(crate) const HUB_CONNECTIONS: u64 = 30_000;

/// The id of somebody who is connected with the hub.
pub(crate) fn spoke(number: u64) -> String {
    format!("spoke-{number:08}")
}

/// First name, last name and headline of a member: of the card with a number.
pub(crate) fn card(number: u64) -> [String; 3] {
    const FIRST: [&str; 16] = [
        "Ana", "John", "María", "Zoë", "Łukasz", "Fjodor", "Mohammed", "Wei", "Sakura", "Ram",
        "Jean-Luc", "Peter", "Paula", "Rosa", "Sven", "Ursula",
    ];
    const LAST: [&str; 16] = [
        "Müller",
        "de la Cruz",
        "Øster",
        "Tolstoi",
        "Wang",
        "Kim",
        "O'Brien",
        "Smith",
        "Jones",
        "Abel",
        "Baker",
        "Carter",
        "Fox",
        "Gray",
        "Ito",
        "Jung",
    ];
    const HEADLINE: [&str; 4] = [
        "Senior software engineer at a large company",
        "Head of marketing, growth and partnerships",
        "Baker in Łódź",
        "Teacher, speaker and mentor of founders",
    ];
    let random = mix(number);
    let one = |of: &[&str], random: u64| {
        let at = usize::try_from(random % 16).unwrap_or(0) % of.len();
        of.get(at).copied().unwrap_or_default().to_owned()
    };
    [
        one(&FIRST, random),
        format!("{}{}", one(&LAST, random >> 4), random % 977),
        one(&HEADLINE, random >> 8),
    ]
}

/// The note of an invitation: one in four has one.
pub(crate) fn note(number: u64) -> &'static str {
    if number.is_multiple_of(4) {
        "It was good to meet you at the conference last week. I would like to stay in touch about the reading group."
    } else {
        ""
    }
}

/// A number that looks random.
pub(crate) fn mix(number: u64) -> u64 {
    // SplitMix64.
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed ^ (mixed >> 31)) >> 1
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn unordered((a, b): (u64, u64)) -> (u64, u64) {
        (a.min(b), a.max(b))
    }

    #[test]
    fn no_two_invitations_are_between_the_same_members() {
        for stored in [STORED_MIN, 47_011, 100_000] {
            let network = Network::new(stored).unwrap();
            let mut met = HashSet::new();
            for number in 0..network.sends() {
                let planned = network.invitation(number);
                assert!(planned.inviter < network.members() && planned.invitee < network.members());
                assert_ne!(planned.inviter, planned.invitee);
                let new = met.insert(unordered((planned.inviter, planned.invitee)));
                assert!(new, "{stored}: {number} {planned:?}");
            }
            for number in 0..network.strangers().min(200_000) {
                let pair = network.stranger(number);
                assert_ne!(pair.0, pair.1);
                assert!(met.insert(unordered(pair)), "{stored}: {number} {pair:?}");
            }
        }
    }

    #[test]
    fn everybody_keeps_within_the_default_limits() {
        let network = Network::new(100_000).unwrap();
        let mut sent = vec![0; usize::try_from(network.members()).unwrap()];
        let mut received = sent.clone();
        for number in 0..network.sends() {
            let planned = network.invitation(number);
            sent[usize::try_from(planned.inviter).unwrap()] += 1;
            received[usize::try_from(planned.invitee).unwrap()] += 1;
        }
        assert!(sent.iter().all(|count| *count == SENDS_PER_MEMBER));
        assert!(received.iter().all(|count| *count < 1_000));
        for number in 0..network.members() / POPULAR_EVERY {
            let count = received[usize::try_from(network.popular(number)).unwrap()];
            // Enough for a full page, of what waits and of connections.
            assert!(count > 200, "{count}");
        }
    }

    #[test]
    fn most_of_what_is_sent_stays_stored() {
        let network = Network::new(100_000).unwrap();
        let fates = (0..network.sends()).map(|number| network.invitation(number).fate);
        let kept = fates.filter(|fate| matches!(fate, Fate::Pending | Fate::Accepted));
        let kept = kept.count();
        assert!((99_000..102_000).contains(&kept), "{kept}");
    }
}

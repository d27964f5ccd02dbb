//! What a seed stands for: who takes part, the numbers of the rules, and what goes wrong when.
//!
//! Deliberately absent: what members do; they draw that as they go, from the same seed.

use std::{collections::BTreeMap, time::Duration};

use invitation_service::domain::standing::{Mode, StandingPolicy};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng, seq::IndexedRandom as _};
use service_kit::time::Span;

/// The simulated hosts.
pub(crate) mod host {
    /// invitation-service.
    pub(crate) const INVITATION: &str = "invitation";
    /// connection-service.
    pub(crate) const CONNECTION: &str = "connection";
    /// The members' devices.
    pub(crate) const DEVICES: [&str; 2] = ["device-a", "device-b"];
    /// Both services.
    pub(crate) const SERVICES: [&str; 2] = [INVITATION, CONNECTION];
}

/// For how long things go wrong, in simulated milliseconds.
pub(crate) const TROUBLE_MILLIS: u64 = 3_000;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing passes between two hosts; what is sent is lost.
    Partition(&'static str, &'static str),
    /// Nothing passes from the one to the other.
    PartitionOneWay(&'static str, &'static str),
    /// What is sent between two hosts arrives only when this is over.
    Hold(&'static str, &'static str),
    /// Each message between two hosts takes so many milliseconds.
    Slow(&'static str, &'static str, u64),
    /// A process dies, and is started again when this is over.
    Crash(&'static str),
    /// A service's clock is moved.
    Clock(&'static str, Span),
}

/// A fault and its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trouble {
    /// When it begins.
    pub(crate) from: u64,
    /// When it is over; of no meaning for a moved clock.
    pub(crate) until: u64,
    /// What.
    pub(crate) fault: Fault,
}

/// How far the clocks are moved in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Clocks {
    /// Not at all.
    Steady,
    /// By seconds.
    Seconds,
    /// By less than two hours in all.
    Minutes,
    /// Forward by days.
    Days,
}

/// Everything that is settled before a run begins.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The seed.
    pub(crate) seed: u64,
    /// The members and the device of each.
    pub(crate) members: Vec<(String, &'static str)>,
    /// How many calls each member makes.
    pub(crate) calls: usize,
    /// What goes wrong, in the order of time.
    pub(crate) troubles: Vec<Trouble>,
    /// How far the clocks are moved.
    pub(crate) clocks: Clocks,
    /// The numbers of invitation-service.
    pub(crate) invitation_policy: invitation_service::Policy,
    /// The numbers of connection-service.
    pub(crate) connection_policy: connection_service::Policy,
    /// How often workers look.
    pub(crate) worker_poll: Duration,
}

/// Both one after the other.
pub(crate) fn add(one: Span, other: Span) -> Span {
    Span::millis(one.as_millis() + other.as_millis())
}

/// A source of randomness for one purpose of a seed.
pub(crate) fn random(seed: u64, purpose: u64) -> SmallRng {
    SmallRng::seed_from_u64(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (purpose << 56))
}

impl Plan {
    /// The plan of a seed.
    pub(crate) fn of(seed: u64) -> Self {
        let mut rng = random(seed, 1);
        let count = rng.random_range(3..=4);
        let members = (0..count)
            .map(|n| (format!("m{n}"), host::DEVICES[n % host::DEVICES.len()]))
            .collect();
        let clocks = match rng.random_range(0..10) {
            0..4 => Clocks::Steady,
            4..7 => Clocks::Seconds,
            7..9 => Clocks::Minutes,
            _ => Clocks::Days,
        };
        let mut troubles: Vec<Trouble> = (0..rng.random_range(0..=7))
            .map(|_| trouble(&mut rng))
            .collect();
        if clocks > Clocks::Steady {
            let steps = rng.random_range(1..=3);
            troubles.extend((0..steps).map(|_| clock_step(&mut rng, clocks)));
        }
        troubles.sort_by_key(|trouble| trouble.from);
        let connections_max = rng.random_range(1..=4);
        Self {
            seed,
            members,
            calls: rng.random_range(6..=14),
            troubles,
            clocks,
            invitation_policy: invitation_service::Policy {
                standing: StandingPolicy {
                    mode: Mode::Shadow,
                    ..StandingPolicy::default()
                },
                weekly_cap: rng.random_range(2..=6),
                weekly_window: Span::days(rng.random_range(1..=7)),
                pending_sent_max: rng.random_range(2..=4),
                pending_received_soft_max: rng.random_range(1..=4),
                connections_max,
                probe_refusals_max: 3,
                decline_cooldown: *[Span::ZERO, Span::days(21)].choose(&mut rng).unwrap(),
                acceptance_first_retry: Span::millis(rng.random_range(100..1_000)),
                acceptance_retry_max: Span::seconds(2),
                ..Default::default()
            },
            connection_policy: connection_service::Policy {
                connections_max,
                ..Default::default()
            },
            worker_poll: Duration::from_millis(rng.random_range(20..200)),
        }
    }
}

impl Plan {
    /// The furthest that either clock is ever ahead of the time that has passed; never negative.
    pub(crate) fn latest_offset(&self) -> Span {
        let mut offsets = BTreeMap::new();
        let mut latest = Span::ZERO;
        for trouble in &self.troubles {
            if let Fault::Clock(host, span) = &trouble.fault {
                let offset = offsets.entry(host).or_insert(Span::ZERO);
                *offset = add(*offset, *span);
                latest = latest.max(*offset);
            }
        }
        latest
    }
}

fn trouble(rng: &mut SmallRng) -> Trouble {
    let from = rng.random_range(0..TROUBLE_MILLIS);
    let until = from + rng.random_range(50..900);
    let (a, b) = link(rng);
    let fault = match rng.random_range(0..12) {
        0 | 1 => Fault::Partition(a, b),
        2 => Fault::PartitionOneWay(a, b),
        3 => Fault::PartitionOneWay(b, a),
        4 | 5 => Fault::Hold(a, b),
        6 | 7 => Fault::Slow(a, b, rng.random_range(30..300)),
        _ => Fault::Crash(host::SERVICES.choose(rng).unwrap()),
    };
    Trouble { from, until, fault }
}

/// The two services more often than not, else a device and a service.
fn link(rng: &mut SmallRng) -> (&'static str, &'static str) {
    if rng.random_bool(0.6) {
        return (host::INVITATION, host::CONNECTION);
    }
    let (device, service) = (host::DEVICES.choose(rng), host::SERVICES.choose(rng));
    (device.unwrap(), service.unwrap())
}

fn clock_step(rng: &mut SmallRng, clocks: Clocks) -> Trouble {
    let span = match clocks {
        // Three of them are less than the week that events are kept.
        Clocks::Days => Span::hours(rng.random_range(20..50)),
        Clocks::Minutes => Span::seconds(rng.random_range(-1_800..1_800)),
        Clocks::Steady | Clocks::Seconds => Span::millis(rng.random_range(-3_000..3_000)),
    };
    let from = rng.random_range(0..TROUBLE_MILLIS);
    Trouble {
        from,
        until: from,
        fault: Fault::Clock(host::SERVICES.choose(rng).unwrap(), span),
    }
}

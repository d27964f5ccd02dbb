//! How often connections may begin from one address.
//!
//! Each connection begins with credit, so whoever is cut and comes again would have it anew. Therefore an address has a token bucket: so many
//! connections at once, then so many a second. One that had to be cut takes as many more as
//! [`ServerOptions::cut_costs_connections`] says. Whoever comes too early waits for its turn, before anything is read; a turn that
//! is too far away never comes. The bucket is kept as the moment up to which it has been used (GCRA).
//! Deliberately absent: waiting, and bounds of how many connections there are ([`super::connections`]).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use tokio::time::Instant;

use super::ServerOptions;

/// How far cuts may put off the turn of an address beyond what anybody waits for.
const DEBT_MAX: Duration = Duration::from_secs(30);
/// From how many addresses on those that owe nothing are looked for and forgotten.
const TIDY_FROM: usize = 1_024;

/// How far each address has come.
#[derive(Debug)]
pub(super) struct Paces {
    /// What a connection takes; zero for no bound.
    each: Duration,
    /// How far an address may be ahead of time without waiting.
    burst: Duration,
    /// What a cut takes.
    cut: Duration,
    wait_max: Duration,
    used_until: HashMap<IpAddr, Instant>,
    tidy_at: usize,
}

impl Paces {
    /// None has come yet; within the bounds of `options`.
    pub(super) fn new(options: &ServerOptions) -> Self {
        let per_second = options.connections_per_address_per_second;
        let each = Duration::from_secs(1).checked_div(per_second);
        let each = each.unwrap_or_default();
        let at_once = options.connections_per_address_burst.saturating_sub(1);
        Self {
            each,
            burst: each.saturating_mul(at_once),
            cut: each.saturating_mul(options.cut_costs_connections),
            wait_max: options.handshake_max,
            used_until: HashMap::new(),
            tidy_at: TIDY_FROM,
        }
    }

    /// How long a connection from `address` is to wait for its turn, which it then has; `None` when that would be too long.
    pub(super) fn turn(&mut self, address: IpAddr, now: Instant) -> Option<Duration> {
        if self.each.is_zero() {
            return Some(Duration::ZERO);
        }
        let (burst, wait_max, each) = (self.burst, self.wait_max, self.each);
        let used_until = self.used_until(address, now);
        let ahead = used_until.saturating_duration_since(now);
        let wait = ahead.saturating_sub(burst);
        (wait <= wait_max).then(|| {
            *used_until += each;
            wait
        })
    }

    /// A connection from `address` had to be cut.
    pub(super) fn cut(&mut self, address: IpAddr, now: Instant) {
        if self.each.is_zero() {
            return;
        }
        let (cut, furthest) = (self.cut, self.burst + self.wait_max + DEBT_MAX);
        let used_until = self.used_until(address, now);
        *used_until = (*used_until + cut).min(now + furthest);
    }

    /// Up to when the address has used its bucket: not before `now`.
    fn used_until(&mut self, address: IpAddr, now: Instant) -> &mut Instant {
        if self.used_until.len() >= self.tidy_at {
            self.used_until.retain(|_, until| *until > now);
            self.tidy_at = self.used_until.len().saturating_mul(2).max(TIDY_FROM);
        }
        let used_until = self.used_until.entry(network(address)).or_insert(now);
        *used_until = now.max(*used_until);
        used_until
    }
}

/// What counts as one address: of IPv6 the first 64 bits, for whoever has one such address has all that begin so.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let host = u128::from(u64::MAX);
            Ipv6Addr::from_bits(address.to_bits() & !host).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const TENTH: Duration = Duration::from_millis(100);

    /// Ten a second after three at once; a cut costs five; nobody waits longer than a second.
    fn paces() -> (Paces, Instant) {
        let options = ServerOptions {
            connections_per_address_per_second: 10,
            connections_per_address_burst: 3,
            cut_costs_connections: 5,
            handshake_max: 10 * TENTH,
            ..ServerOptions::default()
        };
        (Paces::new(&options), Instant::now())
    }

    #[test]
    fn after_so_many_at_once_each_waits_for_its_turn() {
        let (mut paces, now) = paces();
        let waits: Vec<_> = (0..14).map(|_| paces.turn(HERE, now)).collect();
        let tenths = [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|n| Some(n * TENTH));
        assert_eq!(waits, [&tenths[..], &[None]].concat());
        // One that was turned away has taken nothing.
        assert_eq!(paces.turn(HERE, now + TENTH), Some(10 * TENTH));
        let other = "192.0.2.1".parse().unwrap();
        assert_eq!(paces.turn(other, now), Some(Duration::ZERO));
        let later = now + 100 * TENTH;
        let again: Vec<_> = (0..4).map(|_| paces.turn(HERE, later)).collect();
        assert_eq!(again, [0, 0, 0, 1].map(|n| Some(n * TENTH)));
    }

    #[test]
    fn whoever_is_cut_comes_again_later() {
        let (mut paces, now) = paces();
        assert_eq!(paces.turn(HERE, now), Some(Duration::ZERO));
        paces.cut(HERE, now);
        assert_eq!(paces.turn(HERE, now), Some(4 * TENTH));
        paces.cut(HERE, now);
        paces.cut(HERE, now);
        assert_eq!(paces.turn(HERE, now), None);
        // However often: it ends.
        for _ in 0..1_000 {
            paces.cut(HERE, now);
        }
        assert_eq!(paces.turn(HERE, now + DEBT_MAX - TENTH), None);
        let wait = paces.turn(HERE, now + DEBT_MAX);
        assert_eq!(wait, Some(10 * TENTH));
    }

    #[test]
    fn an_address_that_owes_nothing_is_forgotten() {
        let (mut paces, now) = paces();
        for n in 0..10 * u32::try_from(TIDY_FROM).unwrap() {
            let now = now + n * Duration::from_millis(1);
            let address = std::net::Ipv4Addr::from_bits(n).into();
            assert!(paces.turn(address, now).is_some());
        }
        assert!(paces.used_until.len() <= 2 * TIDY_FROM);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address_and_zero_is_no_bound() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3::4"), of("2001:db8:1:2:5::6"));
        assert_ne!(of("2001:db8:1:2::4"), of("2001:db8:1:3::4"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        let mut unbounded = Paces::new(&ServerOptions {
            connections_per_address_per_second: 0,
            ..ServerOptions::default()
        });
        let now = Instant::now();
        unbounded.cut(HERE, now);
        assert!((0..10_000).all(|_| unbounded.turn(HERE, now) == Some(Duration::ZERO)));
    }
}

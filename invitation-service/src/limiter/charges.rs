//! What a limiter within the process keeps of one member, and what becomes of it: the same rules as those of `redis/*.lua`.
//!
//! Deliberately absent: whose they are, locks, and what time it is.

use service_kit::time::Time;

use super::{LimiterRules, Place, RequestHash, Reservation};

/// The charges and reservations of a member.
#[derive(Debug)]
pub(super) struct Charges {
    weekly_cap: u32,
    /// When the store was asked last.
    checked: Time,
    /// The latest time seen.
    latest: Time,
    /// The earliest first.
    charged: Vec<Charge>,
    reserved: Vec<Charge>,
}

#[derive(Debug, Clone, Copy)]
struct Charge {
    time: Time,
    /// `None` where only the store has told of it.
    request: Option<RequestHash>,
}

impl Charges {
    /// Nothing, and no place: to be seeded.
    pub(super) fn new() -> Self {
        let never = Time::from_millis(i64::MIN);
        Self {
            weekly_cap: 0,
            checked: never,
            latest: never,
            charged: Vec::new(),
            reserved: Vec::new(),
        }
    }

    pub(super) fn reserve(
        &mut self,
        request: RequestHash,
        now: Time,
        rules: &LimiterRules,
    ) -> Reservation {
        let now = now.max(self.latest);
        if now.since(self.checked) >= rules.recheck_after {
            return Reservation::Unknown;
        }
        self.latest = now;
        self.drop_old(rules);
        let mut all = self.charged.iter().chain(&self.reserved);
        if all.any(|charge| charge.request == Some(request)) {
            return taken(request, false);
        }
        let used = self.charged.len() + self.reserved.len();
        if used >= usize::try_from(self.weekly_cap).unwrap_or(usize::MAX) {
            return Reservation::Full;
        }
        self.reserved.push(Charge {
            time: now,
            request: Some(request),
        });
        taken(request, true)
    }

    pub(super) fn release(&mut self, request: RequestHash) {
        self.reserved
            .retain(|charge| charge.request != Some(request));
    }

    pub(super) fn confirm(&mut self, request: RequestHash, time: Time, rules: &LimiterRules) {
        self.release(request);
        let own = Some(request);
        let mut at_that_time = self.charged.iter().filter(|c| c.time == time);
        if time <= self.latest.minus(rules.weekly_window)
            || at_that_time.any(|charge| charge.request == own)
        {
            return;
        }
        let untold = |charge: &&mut Charge| charge.time == time && charge.request.is_none();
        match self.charged.iter_mut().find(untold) {
            Some(charge) => charge.request = own,
            None => {
                let at = self.charged.partition_point(|charge| charge.time <= time);
                self.charged.insert(at, Charge { time, request: own });
            }
        }
    }

    pub(super) fn seed(
        &mut self,
        times: &[Time],
        weekly_cap: u32,
        now: Time,
        rules: &LimiterRules,
    ) {
        self.latest = now.max(self.latest);
        self.checked = self.latest;
        self.weekly_cap = weekly_cap;
        self.drop_old(rules);
        let border = self.latest.minus(rules.weekly_window);
        let mut times: Vec<_> = times
            .iter()
            .copied()
            .filter(|time| *time > border)
            .collect();
        times.sort_unstable();
        let mut known = std::mem::take(&mut self.charged).into_iter().peekable();
        for time in times {
            while known.next_if(|charge| charge.time < time).is_some() {}
            let same = known.next_if(|charge| charge.time == time);
            let request = same.and_then(|charge| charge.request);
            self.charged.push(Charge { time, request });
        }
        self.charged.extend(known);
    }

    fn drop_old(&mut self, rules: &LimiterRules) {
        let charged_since = self.latest.minus(rules.weekly_window);
        let reserved_since = self.latest.minus(rules.reserved_max);
        self.charged.retain(|charge| charge.time > charged_since);
        self.reserved.retain(|charge| charge.time > reserved_since);
    }
}

fn taken(request: RequestHash, added: bool) -> Reservation {
    Reservation::Taken(Place { request, added })
}

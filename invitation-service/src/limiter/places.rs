//! What a limiter within the process keeps of one member, and what becomes of it: the same rules as those of `redis/*.lua`.
//!
//! Deliberately absent: whose they are, locks, and what time it is.

use service_kit::time::Time;

use super::{LimiterRules, Place, RequestHash, Reservation};

/// The places that a member has taken.
#[derive(Debug)]
pub(super) struct Places {
    weekly_cap: u32,
    /// When the store was asked last.
    checked: Time,
    /// When a place was taken, or the store asked, last.
    latest: Time,
    /// The earliest first; none is later than that.
    taken: Vec<Taken>,
}

#[derive(Debug, Clone, Copy)]
struct Taken {
    time: Time,
    /// `None` where only the store has told of it.
    request: Option<RequestHash>,
}

impl Places {
    /// Nothing, and no place: to be seeded.
    pub(super) fn new() -> Self {
        let never = Time::from_millis(i64::MIN);
        Self {
            weekly_cap: 0,
            checked: never,
            latest: never,
            taken: Vec::new(),
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
        let border = now.minus(rules.weekly_window);
        let counting = self.taken.iter().filter(|place| place.time > border);
        let own = Some(request);
        let added = !counting.clone().any(|place| place.request == own);
        if added {
            if counting.count() >= usize::try_from(self.weekly_cap).unwrap_or(usize::MAX) {
                return Reservation::Full;
            }
            self.latest = now;
            self.taken.retain(|place| place.time > border);
            self.taken.push(Taken {
                time: now,
                request: own,
            });
        }
        Reservation::Taken(Place { request, added })
    }

    pub(super) fn release(&mut self, request: RequestHash) {
        self.taken.retain(|place| place.request != Some(request));
    }

    pub(super) fn seed(
        &mut self,
        charges: &[Time],
        weekly_cap: u32,
        now: Time,
        rules: &LimiterRules,
    ) {
        self.latest = now.max(self.latest);
        self.checked = self.latest;
        self.weekly_cap = weekly_cap;
        let border = self.latest.minus(rules.weekly_window);
        let mut told: Vec<_> = charges
            .iter()
            .map(|time| (*time).min(self.latest))
            .filter(|time| *time > border)
            .collect();
        told.sort_unstable();
        let last = told.last().copied().unwrap_or(border);
        let mut same = told.iter().filter(|time| **time == last).count();
        let known = std::mem::take(&mut self.taken);
        let untold = known.into_iter().filter(|place| {
            let is_told = place.time == last && same > 0;
            same -= usize::from(is_told);
            place.time > border && place.time >= last && !is_told
        });
        let untold: Vec<_> = untold.collect();
        let nameless = |time| Taken {
            time,
            request: None,
        };
        self.taken = told.into_iter().map(nameless).chain(untold).collect();
    }
}

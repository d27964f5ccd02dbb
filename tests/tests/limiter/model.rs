//! The rules of the trait once more, as plainly as they can be said: a list that is searched from one end to the other.

use invitation_service::limiter::{LimiterRules, Reservation};
use service_kit::time::Time;

use crate::engine::taken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    time: Time,
    request: Option<u64>,
    reserved: bool,
}

/// What is known of a member.
#[derive(Clone, Debug)]
struct Known {
    cap: u32,
    checked: Time,
    latest: Time,
    entries: Vec<Entry>,
}

/// A limiter of one member.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    rules: LimiterRules,
    known: Option<Known>,
}

impl Model {
    pub(crate) fn new(rules: LimiterRules) -> Self {
        Self { rules, known: None }
    }

    pub(crate) fn reserve(&mut self, request: u64, now: Time) -> Reservation {
        let rules = self.rules;
        let Some(known) = &mut self.known else {
            return Reservation::Unknown;
        };
        let now = now.max(known.latest);
        if now >= known.checked.plus(rules.recheck_after) {
            return Reservation::Unknown;
        }
        known.latest = now;
        known.entries.retain(|entry| {
            let kept = if entry.reserved {
                rules.reserved_max
            } else {
                rules.weekly_window
            };
            now < entry.time.plus(kept)
        });
        if known.entries.iter().any(|e| e.request == Some(request)) {
            return taken(request, false);
        }
        if known.entries.len() >= known.cap as usize {
            return Reservation::Full;
        }
        known.entries.push(Entry {
            time: now,
            request: Some(request),
            reserved: true,
        });
        taken(request, true)
    }

    pub(crate) fn release(&mut self, request: u64) {
        if let Some(known) = &mut self.known {
            let own = |e: &Entry| e.reserved && e.request == Some(request);
            known.entries.retain(|entry| !own(entry));
        }
    }

    pub(crate) fn confirm(&mut self, request: u64, time: Time) {
        self.release(request);
        let window = self.rules.weekly_window;
        let Some(known) = &mut self.known else {
            return;
        };
        let charge = |request| Entry {
            time,
            request,
            reserved: false,
        };
        let own = charge(Some(request));
        if known.latest >= time.plus(window) || known.entries.contains(&own) {
            return;
        }
        match known.entries.iter_mut().find(|e| **e == charge(None)) {
            Some(untold) => *untold = own,
            None => known.entries.push(own),
        }
    }

    pub(crate) fn seed(&mut self, charges: &[Time], cap: u32, now: Time) {
        let window = self.rules.weekly_window;
        let nothing = Known {
            cap,
            checked: now,
            latest: now,
            entries: Vec::new(),
        };
        let known = self.known.get_or_insert(nothing);
        known.latest = now.max(known.latest);
        (known.cap, known.checked) = (cap, known.latest);
        let latest = known.latest;
        let mut charges: Vec<_> = charges.iter().filter(|t| latest < t.plus(window)).collect();
        charges.sort();
        let (mut entries, mut charged): (Vec<_>, Vec<_>) =
            known.entries.drain(..).partition(|e| e.reserved);
        charged.retain(|e| latest < e.time.plus(window));
        let last = charges.last().map(|time| **time);
        for time in charges {
            let same = charged.iter().position(|e| e.time == *time);
            let untold = Entry {
                time: *time,
                request: None,
                reserved: false,
            };
            entries.push(same.map_or(untold, |same| charged.remove(same)));
        }
        charged.retain(|e| last.is_none_or(|last| e.time >= last));
        entries.extend(charged);
        known.entries = entries;
    }

    pub(crate) fn forget(&mut self) {
        self.known = None;
    }

    /// The latest time seen.
    pub(crate) fn latest(&self) -> Option<Time> {
        self.known.as_ref().map(|known| known.latest)
    }
}

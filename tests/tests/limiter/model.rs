//! The rules of the trait once more, as plainly as they can be said: a list that is searched from one end to the other.

use invitation_service::limiter::{LimiterRules, Reservation};
use service_kit::time::Time;

use crate::engine::taken;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry {
    time: Time,
    request: Option<u64>,
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
        let counts = |entry: &&Entry| now < entry.time.plus(rules.weekly_window);
        let counting = known.entries.iter().filter(counts);
        if counting.clone().any(|e| e.request == Some(request)) {
            return taken(request, false);
        }
        if counting.count() >= known.cap as usize {
            return Reservation::Full;
        }
        known.latest = now;
        known.entries.push(Entry {
            time: now,
            request: Some(request),
        });
        taken(request, true)
    }

    pub(crate) fn release(&mut self, request: u64) {
        if let Some(known) = &mut self.known {
            known.entries.retain(|e| e.request != Some(request));
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
        let latest = now.max(known.latest);
        (known.cap, known.checked, known.latest) = (cap, latest, latest);
        let counts = |time: &Time| latest < time.plus(window);
        let told = charges.iter().map(|time| (*time).min(latest));
        let told: Vec<Time> = told.filter(counts).collect();
        known.entries.retain(|entry| counts(&entry.time));
        if let Some(last) = told.iter().max().copied() {
            known.entries.retain(|entry| entry.time >= last);
            // The earliest taken of the same time are those that the store knows.
            for _ in told.iter().filter(|time| **time == last) {
                if let Some(same) = known.entries.iter().position(|e| e.time == last) {
                    known.entries.remove(same);
                }
            }
        }
        let told = told.into_iter().map(|time| Entry {
            time,
            request: None,
        });
        known.entries.splice(..0, told);
        known.entries.sort_by_key(|entry| entry.time);
    }

    pub(crate) fn forget(&mut self) {
        self.known = None;
    }
}

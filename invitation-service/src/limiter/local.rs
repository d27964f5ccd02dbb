//! The limiter within the process: for a single node, and for simulations.
//!
//! Deliberately absent: durability. What is lost is seeded from the store.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use moka::{policy::EvictionPolicy, sync::Cache};
use service_kit::{id::MemberId, time::Time};

use super::{Limiter, LimiterRules, Place, RequestHash, Reservation, places::Places};

/// Keeps charges in memory, for as many members as its bound allows.
pub struct LocalLimiter {
    rules: LimiterRules,
    members: Cache<MemberId, Arc<Mutex<Places>>>,
}

impl LocalLimiter {
    /// A limiter that knows nobody yet. It keeps `members_max` members; those not seen for longest are forgotten.
    pub fn new(rules: LimiterRules, members_max: u64) -> Self {
        // Whoever sends is kept, however often others have: by default the cache may turn a new member away.
        let members = Cache::builder()
            .max_capacity(members_max)
            .eviction_policy(EvictionPolicy::lru())
            .build();
        Self { rules, members }
    }

    fn with_member<T>(&self, member: &MemberId, work: impl FnOnce(&mut Places) -> T) -> Option<T> {
        let known = self.members.get(member)?;
        // Nothing that holds the lock can leave the lists half changed.
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        Some(work(&mut known))
    }
}

#[async_trait]
impl Limiter for LocalLimiter {
    async fn reserve(&self, member: &MemberId, request: RequestHash, now: Time) -> Reservation {
        self.with_member(member, |known| known.reserve(request, now, &self.rules))
            .unwrap_or(Reservation::Unknown)
    }

    async fn release(&self, member: &MemberId, place: Place) {
        if place.added {
            self.with_member(member, |known| known.release(place.request));
        }
    }

    async fn seed(&self, member: &MemberId, charges: &[Time], weekly_cap: u32, now: Time) {
        let nothing = || Arc::new(Mutex::new(Places::new()));
        let known = self.members.get_with(member.clone(), nothing);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.seed(charges, weekly_cap, now, &self.rules);
    }

    async fn forget(&self, member: &MemberId) {
        self.members.invalidate(member);
    }
}

#[cfg(test)]
mod tests {
    use service_kit::time::Span;

    use super::*;

    #[tokio::test]
    async fn whoever_came_last_is_known_however_often_others_came() {
        let rules = LimiterRules {
            weekly_window: Span::days(7),
            recheck_after: Span::days(1),
        };
        let (limiter, now) = (LocalLimiter::new(rules, 10), Time::from_millis(1));
        for number in 0..1_000 {
            let member = MemberId::parse(&format!("m{number}")).unwrap();
            limiter.seed(&member, &[], 5, now).await;
            for request in 1..=5 {
                let said = limiter.reserve(&member, RequestHash(request), now).await;
                assert!(matches!(said, Reservation::Taken(_)), "{number}: {said:?}");
            }
        }
    }
}

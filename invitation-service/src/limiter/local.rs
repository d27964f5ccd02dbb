//! The limiter within the process: for a single node, and for simulations.
//!
//! Deliberately absent: durability. What is lost is seeded from the store.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use moka::sync::Cache;
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
        Self {
            rules,
            members: Cache::new(members_max),
        }
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

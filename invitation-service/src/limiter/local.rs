//! The limiter within the process: for a single node, and for simulations.
//!
//! Deliberately absent: durability. What is lost is seeded from the store.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use moka::sync::Cache;
use service_kit::{
    id::MemberId,
    time::{Span, Time},
};

use super::{Limiter, Place, RequestHash, Reservation};

/// The bounds and numbers of a [`LocalLimiter`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalLimiterOptions {
    /// The rolling window.
    pub weekly_window: Span,
    /// How many members are kept; those not seen for longest are forgotten.
    pub members_max: u64,
    /// How long a reservation stands that is neither confirmed nor released: longer than any call may take. Its caller has gone.
    pub reserved_max: Span,
}

/// Keeps charges in memory, for as many members as its bound allows.
pub struct LocalLimiter {
    options: LocalLimiterOptions,
    members: Cache<MemberId, Arc<Mutex<Known>>>,
}

/// What is known of a member.
#[derive(Debug, Default)]
struct Known {
    /// How many charges they may have in the window.
    weekly_cap: u32,
    charges: Vec<Charge>,
}

#[derive(Debug, Clone, Copy)]
struct Charge {
    time: Time,
    /// The reservation under way; `None` once charged.
    reserved_by: Option<RequestHash>,
}

impl LocalLimiter {
    /// A limiter that knows nobody yet.
    pub fn new(options: LocalLimiterOptions) -> Self {
        Self {
            options,
            members: Cache::new(options.members_max),
        }
    }

    fn with_member<T>(&self, member: &MemberId, work: impl FnOnce(&mut Known) -> T) -> Option<T> {
        let known = self.members.get(member)?;
        // Nothing that holds the lock can leave the list half changed.
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        Some(work(&mut known))
    }
}

#[async_trait]
impl Limiter for LocalLimiter {
    async fn reserve(&self, member: &MemberId, request: RequestHash, now: Time) -> Reservation {
        let LocalLimiterOptions {
            weekly_window,
            reserved_max,
            ..
        } = self.options;
        let reserve = |known: &mut Known| {
            let Known {
                weekly_cap,
                charges,
            } = known;
            charges.retain(|charge| {
                let kept = match charge.reserved_by {
                    Some(_) => reserved_max,
                    None => weekly_window,
                };
                charge.time > now.minus(kept)
            });
            let place = |added| Reservation::Taken(Place { request, added });
            if charges
                .iter()
                .any(|charge| charge.reserved_by == Some(request))
            {
                return place(false);
            }
            if charges.len() >= usize::try_from(*weekly_cap).unwrap_or(usize::MAX) {
                return Reservation::Full;
            }
            charges.push(Charge {
                time: now,
                reserved_by: Some(request),
            });
            place(true)
        };
        self.with_member(member, reserve)
            .unwrap_or(Reservation::Unknown)
    }

    async fn release(&self, member: &MemberId, place: Place) {
        if place.added {
            self.with_member(member, |known| {
                known
                    .charges
                    .retain(|charge| charge.reserved_by != Some(place.request));
            });
        }
    }

    async fn confirm(&self, member: &MemberId, place: Place, time: Time) {
        self.with_member(member, |known| {
            let own = known
                .charges
                .iter_mut()
                .find(|charge| charge.reserved_by == Some(place.request));
            if let Some(charge) = own {
                *charge = Charge {
                    time,
                    reserved_by: None,
                };
            }
        });
    }

    async fn seed(&self, member: &MemberId, charges: &[Time], weekly_cap: u32) {
        let known = self.members.get_with(member.clone(), Arc::default);
        let mut known = known.lock().unwrap_or_else(PoisonError::into_inner);
        known.weekly_cap = weekly_cap;
        known.charges.retain(|charge| charge.reserved_by.is_some());
        known.charges.extend(charges.iter().map(|time| Charge {
            time: *time,
            reserved_by: None,
        }));
    }

    async fn forget(&self, member: &MemberId) {
        self.members.invalidate(member);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: u32 = 2;

    fn member() -> MemberId {
        MemberId::parse("ann").unwrap()
    }

    const RESERVED_MAX: Span = Span::minutes(2);

    fn limiter() -> LocalLimiter {
        LocalLimiter::new(LocalLimiterOptions {
            weekly_window: Span::days(7),
            members_max: 10,
            reserved_max: RESERVED_MAX,
        })
    }

    fn at(seconds: i64) -> Time {
        Time::from_millis(seconds * 1_000)
    }

    async fn reserve(limiter: &LocalLimiter, request: u64, now: Time) -> Reservation {
        limiter.reserve(&member(), RequestHash(request), now).await
    }

    fn taken(request: u64, added: bool) -> Reservation {
        Reservation::Taken(Place {
            request: RequestHash(request),
            added,
        })
    }

    #[tokio::test]
    async fn an_unknown_member_is_the_stores_to_judge() {
        let limiter = limiter();
        assert_eq!(reserve(&limiter, 1, at(0)).await, Reservation::Unknown);
        limiter.seed(&member(), &[], CAP).await;
        assert_eq!(reserve(&limiter, 1, at(0)).await, taken(1, true));
    }

    #[tokio::test]
    async fn a_request_takes_one_place_however_often_it_comes() {
        let limiter = limiter();
        limiter.seed(&member(), &[at(0)], CAP).await;
        assert_eq!(reserve(&limiter, 1, at(1)).await, taken(1, true));
        assert_eq!(reserve(&limiter, 1, at(2)).await, taken(1, false));
        assert_eq!(reserve(&limiter, 2, at(2)).await, Reservation::Full);
    }

    #[tokio::test]
    async fn only_the_reservation_that_took_a_place_gives_it_back() {
        let limiter = limiter();
        limiter.seed(&member(), &[at(0)], CAP).await;
        reserve(&limiter, 1, at(1)).await;
        let place = |added| Place {
            request: RequestHash(1),
            added,
        };
        limiter.release(&member(), place(false)).await;
        assert_eq!(reserve(&limiter, 2, at(1)).await, Reservation::Full);
        limiter.release(&member(), place(true)).await;
        assert_eq!(reserve(&limiter, 2, at(1)).await, taken(2, true));
    }

    #[tokio::test]
    async fn a_place_is_free_again_a_week_after_the_charge() {
        let limiter = limiter();
        limiter.seed(&member(), &[], CAP).await;
        for request in [1, 2] {
            reserve(&limiter, request, at(0)).await;
            let place = Place {
                request: RequestHash(request),
                added: true,
            };
            limiter.confirm(&member(), place, at(10)).await;
        }
        let free = at(10).plus(Span::days(7));
        assert_eq!(
            reserve(&limiter, 3, free.minus(Span::millis(1))).await,
            Reservation::Full
        );
        assert_eq!(reserve(&limiter, 3, free).await, taken(3, true));
    }

    #[tokio::test]
    async fn a_reservation_whose_caller_has_gone_lapses() {
        let limiter = limiter();
        limiter.seed(&member(), &[at(0)], CAP).await;
        reserve(&limiter, 1, at(0)).await;
        let lapsed = at(0).plus(RESERVED_MAX);
        assert_eq!(
            reserve(&limiter, 2, lapsed.minus(Span::millis(1))).await,
            Reservation::Full
        );
        assert_eq!(reserve(&limiter, 2, lapsed).await, taken(2, true));
    }

    #[tokio::test]
    async fn seeding_keeps_reservations_under_way() {
        let limiter = limiter();
        limiter.seed(&member(), &[], CAP).await;
        reserve(&limiter, 1, at(1)).await;
        limiter.seed(&member(), &[at(0)], CAP).await;
        assert_eq!(reserve(&limiter, 2, at(1)).await, Reservation::Full);
        assert_eq!(reserve(&limiter, 1, at(1)).await, taken(1, false));
    }

    #[tokio::test]
    async fn each_member_has_a_cap_of_their_own_which_can_change() {
        let limiter = limiter();
        limiter.seed(&member(), &[at(0)], 1).await;
        assert_eq!(reserve(&limiter, 1, at(1)).await, Reservation::Full);
        limiter.seed(&member(), &[at(0)], 3).await;
        assert_eq!(reserve(&limiter, 1, at(1)).await, taken(1, true));
        limiter.forget(&member()).await;
        assert_eq!(reserve(&limiter, 1, at(1)).await, Reservation::Unknown);
    }
}

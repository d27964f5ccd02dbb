//! A limiter that is wrong.
//!
//! Deliberately absent: that its word is final; that is the store's mistake (`invitations.rs`).

use std::sync::Arc;

use async_trait::async_trait;
use invitation_service::limiter::{Limiter, Place, RequestHash, Reservation};
use service_kit::{id::MemberId, time::Time};

/// Says of every fourth request that there is no place.
pub(crate) struct Stingy(pub(crate) Arc<dyn Limiter>);

#[async_trait]
impl Limiter for Stingy {
    async fn reserve(&self, member: &MemberId, request: RequestHash, now: Time) -> Reservation {
        if request.0.is_multiple_of(4) {
            return Reservation::Full;
        }
        self.0.reserve(member, request, now).await
    }

    async fn release(&self, member: &MemberId, place: Place) {
        self.0.release(member, place).await;
    }

    async fn seed(&self, member: &MemberId, charges: &[Time], weekly_cap: u32, now: Time) {
        self.0.seed(member, charges, weekly_cap, now).await;
    }

    async fn forget(&self, member: &MemberId) {
        self.0.forget(member).await;
    }
}

//! The weekly cap in front of the store: a quick word on whether a member has a place left, shared by whoever serves the member.
//!
//! The store decides last. What a limiter says saves work and never settles anything: its yes is checked in the sending transaction, its
//! no in a snapshot. So it may forget, lag or be away without breaking the cap. Deliberately absent: standing, which is not built yet.

mod local;

pub use local::{LocalLimiter, LocalLimiterOptions};

use async_trait::async_trait;
use service_kit::{id::MemberId, time::Time};

/// Keeps each member's charges of the last week.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Takes a place for a request, if one is left; must be one round trip, and the same place for the same request.
    async fn reserve(&self, member: &MemberId, request: RequestHash, now: Time) -> Reservation;
    /// Gives a place back that this very reservation took: the request was not charged.
    async fn release(&self, member: &MemberId, place: Place);
    /// Says that the request was charged at `time`.
    async fn confirm(&self, member: &MemberId, place: Place, time: Time);
    /// Merges what the store knows to have been charged, and the cap in force for the member; reservations under way stay.
    async fn seed(&self, member: &MemberId, charges: &[Time], weekly_cap: u32);
    /// Forgets the member, whose cap has changed: the store is asked next.
    async fn forget(&self, member: &MemberId);
}

/// Stands for a request: the same for its repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestHash(pub u64);

/// What a reservation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reservation {
    /// A place is taken.
    Taken(Place),
    /// No place is left, as far as the limiter knows.
    Full,
    /// The limiter knows nothing of the member, or is away: ask the store.
    Unknown,
}

/// A place under the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub request: RequestHash,
    /// Whether this very reservation took it; an earlier one of the same request may have.
    pub added: bool,
}

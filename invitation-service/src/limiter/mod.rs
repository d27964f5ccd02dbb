//! The weekly cap in front of the store: a quick word on whether a member has a place left, shared by whoever serves the member.
//!
//! The store decides last. What a limiter says saves work and never settles anything: its yes is checked in the sending transaction, its
//! no in a snapshot. So it may forget, lag or be away without breaking the cap. Two engines serve one trait by the same rules: [`redis`],
//! shared by several processes, and [`LocalLimiter`], within one. Deliberately absent: standing, which is not built yet.

mod charges;
mod local;
pub mod redis;

pub use local::LocalLimiter;

use async_trait::async_trait;
use service_kit::{
    id::MemberId,
    time::{Span, Time},
};

/// Keeps each member's charges of the last week.
///
/// Times never go back: a time earlier than one that was told before of the member counts as that.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Takes a place for a request, if one is left; must be one round trip. A request that is reserved or charged takes no second place.
    async fn reserve(&self, member: &MemberId, request: RequestHash, now: Time) -> Reservation;
    /// Gives a place back that this very reservation took: the request was not charged.
    async fn release(&self, member: &MemberId, place: Place);
    /// Says that the request was charged at `time`. A charge at that time which the store had told of is this one.
    async fn confirm(&self, member: &MemberId, place: Place, time: Time);
    /// Merges what the store knows to have been charged, and the cap in force for the member. Reservations under way stay, and so do
    /// charges that are not older than the last of these, for they may have come after what the store was asked for.
    async fn seed(&self, member: &MemberId, charges: &[Time], weekly_cap: u32, now: Time);
    /// Forgets the member, whose cap has changed or who is erased: the store is asked next.
    async fn forget(&self, member: &MemberId);
}

/// What every engine counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimiterRules {
    /// The rolling window. At most 31 days.
    pub weekly_window: Span,
    /// How long a reservation stands that is neither confirmed nor released, since its caller has gone: longer than any call may take, and at
    /// most as long as the window.
    pub reserved_max: Span,
    /// How long what is kept of a member may count without the store having been asked: what a lost word left wrong is over by then.
    pub recheck_after: Span,
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

//! The weekly cap in front of the store: a quick word on whether a member has a place left, shared by whoever serves the member.
//!
//! The store decides last. What a limiter says saves work and never settles anything: its yes is checked in the sending transaction, its
//! no in a snapshot. So it may forget, lag or be away without breaking the cap. Two engines serve one trait by the same rules: [`redis`],
//! shared by several processes, and [`LocalLimiter`], within one. Deliberately absent: why a cap is what it is; it arrives with `seed`.

mod local;
mod places;
pub mod redis;

pub use local::LocalLimiter;

use async_trait::async_trait;
use service_kit::{
    id::MemberId,
    time::{Span, Time},
};

/// Keeps the places that each member took in the last week.
///
/// A place counts as used from its reservation on, so that a send costs one call: nobody says that it was charged, only that it was not. A
/// caller that dies in between leaves a place taken in vain, until the store is asked the next time: at the latest when no other is left.
/// Times never go back: one that is earlier than when a place was taken counts as that.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Takes a place for a request, if one is left; must be one round trip. A request that has a place takes no second one.
    async fn reserve(&self, member: &MemberId, request: RequestHash, now: Time) -> Reservation;
    /// Gives a place back that this very reservation took: the request was not charged.
    async fn release(&self, member: &MemberId, place: Place);
    /// Takes over what the store knows to have been charged, and the cap in force for the member. Places that were taken later than the last
    /// of these stay, for the store may have been asked before.
    async fn seed(&self, member: &MemberId, charges: &[Time], weekly_cap: u32, now: Time);
    /// Forgets the member, whose cap has changed or who is erased: the store is asked next.
    async fn forget(&self, member: &MemberId);
}

/// What every engine counts by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimiterRules {
    /// The rolling window. At most 31 days.
    pub weekly_window: Span,
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
    /// The limiter knows nothing of the member: ask the store, and seed.
    Unknown,
    /// The limiter is away: ask the store, and leave it at that.
    Away,
}

/// A place under the cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Whose.
    pub request: RequestHash,
    /// Whether this very reservation took it; an earlier one of the same request may have.
    pub added: bool,
}

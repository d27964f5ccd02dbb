//! What may happen between two members, decided by functions that know no database, no network and no clock.
//!
//! A command takes the pair and the members it concerns, changes them or refuses, and says which steps invitations took. Deliberately
//! absent: tonic, SQL, Redis, tokio and every source of time, randomness or ids; they are arguments.

pub mod accept;
pub mod act;
pub mod decline;
pub mod erase;
pub mod facts;
#[cfg(test)]
mod fixture;
pub mod invitation;
pub mod member;
pub mod note;
pub mod pair;
pub mod plan;
pub mod policy;
pub mod reckoning;
pub mod refusal;
pub mod review;
pub mod send;
pub mod standing;
pub mod view;
pub mod window;
pub mod withdraw;

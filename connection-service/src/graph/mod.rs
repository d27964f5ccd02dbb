//! Who is connected to whom, in memory: what answers questions about the network around a member.
//!
//! From the inside out: `ids` (a number for each member), `list` (sorted numbers), [`index`] (all ties), `second_degree` and `views` (whom a
//! member's connections lead to, for those who were asked about lately), [`network`] (all of it, changing together) and its `questions`:
//! pure, with no lock, task or store. Around them: [`memory`] (who asks, and how new the answer is), [`follower`] (where it comes from),
//! `figures` and `options`. Deliberately absent: rules, and what belongs to a single connection (its time, its labels), which the store has.

mod figures;
pub mod follower;
mod ids;
pub mod index;
mod list;
pub mod memory;
pub mod network;
mod options;
mod questions;
mod second_degree;
mod views;

pub use ids::Full;
pub use memory::Memory;
pub use options::GraphOptions;

//! What time does, to the millisecond: the clock is the test's, and the sweeper may never come.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "time/afterwards.rs"]
mod afterwards;
#[path = "time/caps.rs"]
mod caps;
#[path = "time/clock.rs"]
mod clock;
#[path = "time/expiry.rs"]
mod expiry;
#[path = "time/set_back.rs"]
mod set_back;

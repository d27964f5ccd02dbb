//! Searches that look at millions of states: of the protocol between the two services, and of the rules by random sequences.
//!
//! A package of their own, since they are optimised, which the other tests are not: those take longer to compile than to run. Deliberately
//! absent: anything but tests (see `tests/`).

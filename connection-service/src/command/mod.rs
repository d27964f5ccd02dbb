//! What an operator does with the program beside running the service.
//!
//! Deliberately absent: subcommands of every service (see `service_kit::cli`).

pub mod import;

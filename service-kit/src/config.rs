//! The configuration of a service, as a list of keys that are declared once.
//!
//! A [`Key`] has a dotted path (`limits.weekly_cap`), a meaning, a unit, a range, and a place in the service's own options, where its
//! default stands. From that one declaration follow its name in the file (TOML), in the environment (`ACQUAINT_LIMITS_WEEKLY_CAP`) and as
//! a flag (`--limits-weekly-cap`), its check, its line of `--help`, of `print-config` and of the documentation. A [`Schema`] is all that
//! a service knows: keys in sections, tables with names of the operator's choice, presets, and the check of what belongs together.
//!
//! A flag beats the environment, which beats the file, which beats the preset, which beats the default. Every mistake is told at once.
//!
//! Deliberately absent: which keys there are (they stand beside the options that they fill), reloading, and the command line itself
//! (see [`crate::cli`]).

mod finding;
mod form;
mod key;
mod layer;
mod load;
mod print;
mod reference;
mod schema;
mod store_key;

pub use finding::{ConfigError, Findings, Mistake, Source};
pub use form::{ADDRESS, Choice, DATABASE, Form, HTTP_URL, PATH, STORE, StoreAddress, TEXT};
pub use key::{Key, Kind, Length, Scalar, Unit, Whole};
pub use layer::Given;
pub use load::{Entry, Loaded};
pub use schema::{Preset, Schema, Section, Table};
pub use store_key::store_key;

/// What every name in the environment begins with.
pub const ENVIRONMENT_PREFIX: &str = "ACQUAINT_";

/// The path of the key that says which preset the defaults are taken from.
pub const PRESET: &str = "preset";

/// The name in the environment that says which file is read.
pub const FILE_VARIABLE: &str = "ACQUAINT_CONFIG_FILE";

/// The flag, without its dashes, that says which file is read.
pub const FILE_FLAG: &str = "config";

/// The name of the key `path` in the environment.
pub fn variable(path: &str) -> String {
    let name = path.replace(['.', '-'], "_").to_ascii_uppercase();
    format!("{ENVIRONMENT_PREFIX}{name}")
}

/// The flag of the key `path`, without its dashes.
pub fn flag(path: &str) -> String {
    path.replace(['.', '_'], "-")
}

#[cfg(test)]
mod tests;

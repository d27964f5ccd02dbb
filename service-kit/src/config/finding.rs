//! What is wrong or risky in a configuration, and where each value came from.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from, from the weakest to the strongest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The program itself.
    Default,
    /// The preset of this name.
    Preset(&'static str),
    /// The file.
    File(PathBuf),
    /// This variable of the environment.
    Environment(String),
    /// This flag, without its dashes.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Preset(name) => write!(f, "preset {name}"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// One mistake, or one warning: which key, where it was given, and why it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key's path; for what is no key, the name as it was given.
    pub key: String,
    /// Where it was given.
    pub source: Source,
    /// The rule that it breaks, or what is risky about it.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}): {}", self.key, self.source, self.reason)
    }
}

/// Every mistake of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(pub(super) Vec<Mistake>);

impl ConfigError {
    /// Each mistake, in the order of the sources and of the keys.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration has mistakes:")?;
        self.0
            .iter()
            .try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

/// Collects what the check of a whole configuration finds. A finding that concerns a key whose value was refused already is left out,
/// since it would speak of a default that nobody asked for.
#[derive(Debug, Default)]
pub struct Findings {
    pub(super) wrong: Vec<(Vec<String>, String)>,
    pub(super) risky: Vec<(Vec<String>, String)>,
}

impl Findings {
    /// The values of `keys` (paths, the first of them to be named) cannot stand together; `reason` says why.
    pub fn wrong(&mut self, keys: &[&str], reason: impl Into<String>) {
        self.wrong.push((owned(keys), reason.into()));
    }

    /// The values of `keys` may stand together, but whoever set them should know what `reason` says.
    pub fn risky(&mut self, keys: &[&str], reason: impl Into<String>) {
        self.risky.push((owned(keys), reason.into()));
    }
}

fn owned(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

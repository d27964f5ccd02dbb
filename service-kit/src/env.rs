//! Keys of the environment: each is read and checked, and every mistake is told at once.
//!
//! Deliberately absent: which keys there are (each service's `config`), and where the environment comes from.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;

use crate::sqlite::{Synchronous, parse_database_url};
use crate::time::Span;

/// Every mistake of a configuration, each with its key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(Vec<String>);

impl ConfigError {
    /// Each mistake: the key and the rule it breaks.
    pub fn mistakes(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has mistakes: {}", self.0.join("; "))
    }
}

/// Reads keys and collects mistakes.
#[derive(Debug)]
pub struct Keys<G> {
    get: G,
    mistakes: Vec<String>,
}

impl<G: Fn(&str) -> Option<String>> Keys<G> {
    /// Keys as `get` knows them.
    pub fn new(get: G) -> Self {
        Self {
            get,
            mistakes: Vec::new(),
        }
    }

    /// Whether everything read so far was right.
    pub fn check(self) -> Result<(), ConfigError> {
        if self.mistakes.is_empty() {
            Ok(())
        } else {
            Err(ConfigError(self.mistakes))
        }
    }

    /// The value of a key, if it is given; `parse` says the rule that the text breaks.
    pub fn parsed<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = (self.get)(key)?;
        parse(&text)
            .map_err(|rule| self.mistakes.push(format!("{key} {rule}")))
            .ok()
    }

    /// Replaces `value` where the key is given: a whole number of at least `min`.
    pub fn count(&mut self, key: &str, min: u32, value: &mut u32) {
        let parse = |text: &str| {
            let parsed = text.parse::<u32>().ok().filter(|count| *count >= min);
            parsed.ok_or_else(|| format!("must be a whole number of at least {min}"))
        };
        if let Some(parsed) = self.parsed(key, parse) {
            *value = parsed;
        }
    }

    /// Replaces `value` where the key is given: a whole number of `unit`s, from `min` to `max` of them.
    pub fn span(&mut self, key: &str, unit: Span, min: u32, max: u32, value: &mut Span) {
        let parse = |text: &str| {
            let parsed = text
                .parse::<u32>()
                .ok()
                .filter(|count| (min..=max).contains(count));
            parsed.ok_or_else(|| format!("must be a whole number from {min} to {max}"))
        };
        if let Some(count) = self.parsed(key, parse) {
            *value = Span::millis(unit.as_millis().saturating_mul(i64::from(count)));
        }
    }

    /// Replaces `value` where the key is given: `ADDRESS:PORT`.
    pub fn address(&mut self, key: &str, value: &mut SocketAddr) {
        let parse =
            |text: &str| SocketAddr::from_str(text).map_err(|_| "must be ADDRESS:PORT".to_owned());
        if let Some(parsed) = self.parsed(key, parse) {
            *value = parsed;
        }
    }

    /// Replaces `value` where the key is given: the path of `sqlite:PATH`.
    pub fn database(&mut self, key: &str, value: &mut PathBuf) {
        let parse = |text: &str| parse_database_url(text).map_err(|error| error.to_string());
        if let Some(parsed) = self.parsed(key, parse) {
            *value = parsed;
        }
    }

    /// Replaces `value` where the key is given: `full` or `normal`.
    pub fn synchronous(&mut self, key: &str, value: &mut Synchronous) {
        let parse = |text: &str| match text {
            "full" => Ok(Synchronous::Full),
            "normal" => Ok(Synchronous::Normal),
            _ => Err("must be full or normal".to_owned()),
        };
        if let Some(parsed) = self.parsed(key, parse) {
            *value = parsed;
        }
    }
}

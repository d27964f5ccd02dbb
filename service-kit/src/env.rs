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
        if let Some(count) = self.whole(key, min, u32::MAX) {
            *value = count;
        }
    }

    /// Replaces `value` where the key is given: a whole number of `unit`s, from `min` to `max` of them. With
    /// [`u32::MAX`] for `max` the rule that a mistake is told with names `min` alone.
    pub fn span(&mut self, key: &str, unit: Span, min: u32, max: u32, value: &mut Span) {
        if let Some(count) = self.whole(key, min, max) {
            *value = Span::millis(unit.as_millis().saturating_mul(i64::from(count)));
        }
    }

    fn whole(&mut self, key: &str, min: u32, max: u32) -> Option<u32> {
        self.parsed(key, |text| {
            let parsed = text.parse().ok();
            let within = parsed.filter(|count| (min..=max).contains(count));
            within.ok_or_else(|| match max {
                u32::MAX => format!("must be a whole number of at least {min}"),
                _ => format!("must be a whole number from {min} to {max}"),
            })
        })
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Keys whose names are given with their texts.
    fn keys<'a>(given: &'a [(&str, &str)]) -> Keys<impl Fn(&str) -> Option<String> + 'a> {
        Keys::new(|key| {
            let found = given.iter().find(|(name, _)| *name == key);
            found.map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn what_is_not_given_stays() {
        let mut keys = keys(&[]);
        let (mut count, mut span) = (7, Span::days(2));
        let mut address = SocketAddr::from(([127, 0, 0, 1], 1));
        let (mut path, mut synchronous) = (PathBuf::from("a.db"), Synchronous::Full);
        keys.count("A", 9, &mut count);
        keys.span("B", Span::days(1), 9, 9, &mut span);
        keys.address("C", &mut address);
        keys.database("D", &mut path);
        keys.synchronous("E", &mut synchronous);
        assert_eq!(keys.parsed("F", |_| Ok(1)), None);
        assert_eq!(keys.check(), Ok(()));
        assert_eq!((count, span), (7, Span::days(2)));
        assert_eq!(address.port(), 1);
        assert_eq!((path, synchronous), ("a.db".into(), Synchronous::Full));
    }

    #[test]
    fn what_is_given_replaces() {
        let given = [
            ("COUNT", "5"),
            ("SPAN", "3"),
            ("LONG", "4294967295"),
            ("ADDRESS", "[::1]:7"),
            ("DATABASE", "sqlite:b.db"),
            ("SYNCHRONOUS", "normal"),
            ("OTHER", "x"),
        ];
        let mut keys = keys(&given);
        let (mut count, mut span, mut long) = (0, Span::ZERO, Span::ZERO);
        let mut address = SocketAddr::from(([127, 0, 0, 1], 1));
        let (mut path, mut synchronous) = (PathBuf::new(), Synchronous::Full);
        keys.count("COUNT", 5, &mut count);
        keys.span("SPAN", Span::hours(1), 3, 3, &mut span);
        keys.span("LONG", Span::days(1), 1, u32::MAX, &mut long);
        keys.address("ADDRESS", &mut address);
        keys.database("DATABASE", &mut path);
        keys.synchronous("SYNCHRONOUS", &mut synchronous);
        let other = keys.parsed("OTHER", |text| Ok(text.to_owned()));
        assert_eq!(keys.check(), Ok(()));
        assert_eq!((count, span), (5, Span::hours(3)));
        assert_eq!(long, Span::days(4_294_967_295));
        assert_eq!(address.to_string(), "[::1]:7");
        assert_eq!((path, synchronous), ("b.db".into(), Synchronous::Normal));
        assert_eq!(other.as_deref(), Some("x"));
    }

    #[test]
    fn every_mistake_is_told_with_its_key_and_changes_nothing() {
        let given = [
            ("COUNT", "4"),
            ("NEGATIVE", "-1"),
            ("SPAN", "31"),
            ("OPEN", "0"),
            ("ADDRESS", "here"),
            ("DATABASE", "mysql:x"),
            ("SYNCHRONOUS", "off"),
            ("OTHER", ""),
        ];
        let mut keys = keys(&given);
        let (mut count, mut span) = (7, Span::days(2));
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let (mut listen, mut path) = (address, PathBuf::from("a.db"));
        let mut synchronous = Synchronous::Full;
        keys.count("COUNT", 5, &mut count);
        keys.count("NEGATIVE", 0, &mut count);
        keys.span("SPAN", Span::days(1), 0, 30, &mut span);
        keys.span("OPEN", Span::days(1), 1, u32::MAX, &mut span);
        keys.address("ADDRESS", &mut listen);
        keys.database("DATABASE", &mut path);
        keys.synchronous("SYNCHRONOUS", &mut synchronous);
        let other: Option<()> = keys.parsed("OTHER", |_| Err("must be something".to_owned()));
        assert_eq!((count, span, other), (7, Span::days(2), None));
        assert_eq!((listen, path), (address, "a.db".into()));
        assert_eq!(synchronous, Synchronous::Full);
        let error = keys.check().unwrap_err();
        let told = [
            "COUNT must be a whole number of at least 5",
            "NEGATIVE must be a whole number of at least 0",
            "SPAN must be a whole number from 0 to 30",
            "OPEN must be a whole number of at least 1",
            "ADDRESS must be ADDRESS:PORT",
            "DATABASE must be sqlite:PATH, where PATH is a file and does not begin with //",
            "SYNCHRONOUS must be full or normal",
            "OTHER must be something",
        ];
        assert_eq!(error.mistakes(), told);
        let text = error.to_string();
        assert_eq!(
            text,
            format!("the configuration has mistakes: {}", told.join("; "))
        );
    }
}

//! One key: its path, its meaning, what values it takes, and the place that it fills.

use std::fmt;
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::form::Form;
use crate::time::Span;

/// A value as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scalar {
    /// A whole number: a count, or a length of time in the key's unit.
    Whole(u64),
    /// Yes or no.
    Flag(bool),
    /// A text; empty where nothing is set.
    Text(String),
}

impl fmt::Display for Scalar {
    /// The value in TOML.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Text(text) => write!(f, "{}", toml::Value::String(text.clone())),
        }
    }
}

/// The unit that the path of a length of time ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Milliseconds, `…_millis`.
    Millis,
    /// Seconds, `…_seconds`.
    Seconds,
    /// Hours, `…_hours`.
    Hours,
    /// Days of 24 hours, `…_days`.
    Days,
}

impl Unit {
    /// The word, as paths end with it and as the documentation shows it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Millis => "millis",
            Self::Seconds => "seconds",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }

    const fn millis(self) -> u64 {
        match self {
            Self::Millis => 1,
            Self::Seconds => 1_000,
            Self::Hours => 3_600_000,
            Self::Days => 86_400_000,
        }
    }
}

/// What values a key takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number of these, from the least to the most.
    Count(&'static str, RangeInclusive<u64>),
    /// A number of this unit of time, from the least to the most.
    Span(Unit, RangeInclusive<u64>),
    /// Yes or no.
    Flag,
    /// A text of this shape.
    Text(&'static str),
}

impl Kind {
    /// The unit, in a word; empty where there is none.
    pub const fn unit(&self) -> &'static str {
        match self {
            Self::Count(unit, _) => unit,
            Self::Span(unit, _) => unit.word(),
            Self::Flag | Self::Text(_) => "",
        }
    }

    /// What a flag takes, in a word.
    pub const fn value_name(&self) -> &'static str {
        match self {
            Self::Count(..) | Self::Span(..) => "N",
            Self::Flag => "BOOL",
            Self::Text(_) => "TEXT",
        }
    }

    /// What is taken, for the documentation.
    pub fn range(&self) -> String {
        match self {
            Self::Count(_, range) | Self::Span(_, range) => {
                format!("{} to {}", range.start(), range.end())
            }
            Self::Flag => "true | false".to_owned(),
            Self::Text(shape) => (*shape).to_owned(),
        }
    }

    /// The scalar that was given as text or in TOML; otherwise the rule that it breaks.
    fn scalar(&self, given: &toml::Value) -> Result<Scalar, String> {
        use toml::Value::{Boolean, Integer, String as Text};
        match (self, given) {
            (Self::Count(_, range) | Self::Span(_, range), given) => {
                let number = match given {
                    Integer(number) => u64::try_from(*number).ok(),
                    _ => None,
                };
                let within = number.filter(|number| range.contains(number));
                within.map(Scalar::Whole).ok_or_else(|| {
                    format!(
                        "must be a whole number from {} to {}",
                        range.start(),
                        range.end()
                    )
                })
            }
            (Self::Flag, Boolean(flag)) => Ok(Scalar::Flag(*flag)),
            (Self::Flag, _) => Err("must be true or false".to_owned()),
            (Self::Text(_), Text(text)) => Ok(Scalar::Text(text.clone())),
            (Self::Text(_), _) => Err("must be a text in quotes".to_owned()),
        }
    }

    /// What a text of the environment or a flag stands for in TOML. What does not fit stays a text, and is refused as such.
    pub(super) fn read(&self, text: &str) -> toml::Value {
        let plain = || toml::Value::String(text.to_owned());
        match self {
            Self::Count(..) | Self::Span(..) => {
                text.parse().map_or_else(|_| plain(), toml::Value::Integer)
            }
            Self::Flag => text.parse().map_or_else(|_| plain(), toml::Value::Boolean),
            Self::Text(_) => plain(),
        }
    }
}

/// A number that a key can fill.
pub trait Whole: Copy {
    /// The number, if the type holds it.
    fn of(number: u64) -> Option<Self>;
    /// The number.
    fn number(self) -> u64;
}

macro_rules! whole {
    ($($number:ty),*) => {$(
        impl Whole for $number {
            fn of(number: u64) -> Option<Self> {
                number.try_into().ok()
            }
            fn number(self) -> u64 {
                self.try_into().unwrap_or(u64::MAX)
            }
        }
    )*};
}
whole!(u16, u32, usize);

impl Whole for u64 {
    fn of(number: u64) -> Option<Self> {
        Some(number)
    }
    fn number(self) -> u64 {
        self
    }
}

/// A length of time that a key can fill.
pub trait Length: Copy {
    /// So many milliseconds; saturating.
    fn of_millis(millis: u64) -> Self;
    /// The length in milliseconds.
    fn millis(self) -> u64;
}

impl Length for Span {
    fn of_millis(millis: u64) -> Self {
        Self::millis(i64::try_from(millis).unwrap_or(i64::MAX))
    }
    fn millis(self) -> u64 {
        self.as_millis().try_into().unwrap_or(0)
    }
}

impl Length for Duration {
    fn of_millis(millis: u64) -> Self {
        Self::from_millis(millis)
    }
    fn millis(self) -> u64 {
        self.as_millis().try_into().unwrap_or(u64::MAX)
    }
}

/// Reads and fills the place of a key.
trait Access<C>: Send + Sync {
    fn read(&self, options: &mut C) -> Scalar;
    fn write(&self, options: &mut C, value: Scalar) -> Result<(), String>;
}

/// A key of the options `C`.
pub struct Key<C> {
    path: String,
    meaning: &'static str,
    kind: Kind,
    secret: Secrecy,
    access: Box<dyn Access<C>>,
}

/// Which values of a key are never shown.
#[derive(Clone, Copy)]
enum Secrecy {
    None,
    All,
    /// Those of which this is so. A text that is refused may be one.
    Where(fn(&Scalar) -> bool),
}

impl<C> fmt::Debug for Key<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl<C: 'static> Key<C> {
    /// A number of `unit`s within `range`. `meaning` is one sentence without its full stop, in small letters.
    pub fn count<N: Whole + 'static>(
        path: impl Into<String>,
        unit: &'static str,
        range: RangeInclusive<u64>,
        field: impl Fn(&mut C) -> &mut N + Send + Sync + 'static,
        meaning: &'static str,
    ) -> Self {
        let show = |number: &N| Scalar::Whole(number.number());
        let parse = |scalar| match scalar {
            Scalar::Whole(number) => N::of(number).ok_or_else(|| "is too large".to_owned()),
            _ => Err("must be a whole number".to_owned()),
        };
        Self::new(path, Kind::Count(unit, range), field, show, parse, meaning)
    }

    /// A length of time within `range`, in whole `unit`s, with which the path ends.
    pub fn span<L: Length + 'static>(
        path: impl Into<String>,
        unit: Unit,
        range: RangeInclusive<u64>,
        field: impl Fn(&mut C) -> &mut L + Send + Sync + 'static,
        meaning: &'static str,
    ) -> Self {
        let show = move |length: &L| Scalar::Whole(length.millis() / unit.millis());
        let parse = move |scalar| match scalar {
            Scalar::Whole(number) => Ok(L::of_millis(number.saturating_mul(unit.millis()))),
            _ => Err("must be a whole number".to_owned()),
        };
        Self::new(path, Kind::Span(unit, range), field, show, parse, meaning)
    }

    /// Yes or no.
    pub fn flag(
        path: impl Into<String>,
        field: impl Fn(&mut C) -> &mut bool + Send + Sync + 'static,
        meaning: &'static str,
    ) -> Self {
        let parse = |scalar| match scalar {
            Scalar::Flag(flag) => Ok(flag),
            _ => Err("must be true or false".to_owned()),
        };
        Self::new(
            path,
            Kind::Flag,
            field,
            |flag| Scalar::Flag(*flag),
            parse,
            meaning,
        )
    }

    /// A text of a form.
    pub fn text<T: 'static>(
        path: impl Into<String>,
        form: Form<T>,
        field: impl Fn(&mut C) -> &mut T + Send + Sync + 'static,
        meaning: &'static str,
    ) -> Self {
        let show = move |value: &T| Scalar::Text((form.show)(value));
        let parse = move |scalar| match scalar {
            Scalar::Text(text) => (form.parse)(&text),
            _ => Err("must be a text".to_owned()),
        };
        Self::new(path, Kind::Text(form.shape), field, show, parse, meaning)
    }

    /// A text of a form, or nothing, which an empty text stands for.
    pub fn optional<T: 'static>(
        path: impl Into<String>,
        form: Form<T>,
        field: impl Fn(&mut C) -> &mut Option<T> + Send + Sync + 'static,
        meaning: &'static str,
    ) -> Self {
        let show = move |value: &Option<T>| {
            Scalar::Text(value.as_ref().map_or_else(String::new, form.show))
        };
        let parse = move |scalar| match scalar {
            Scalar::Text(text) if text.is_empty() => Ok(None),
            Scalar::Text(text) => (form.parse)(&text).map(Some),
            _ => Err("must be a text".to_owned()),
        };
        Self::new(path, Kind::Text(form.shape), field, show, parse, meaning)
    }

    /// The key, whose value is never shown.
    #[must_use]
    pub fn secret(mut self) -> Self {
        self.secret = Secrecy::All;
        self
    }

    /// The key, whose value is not shown where `is_secret`, nor where it was refused.
    #[must_use]
    pub fn secret_where(mut self, is_secret: fn(&Scalar) -> bool) -> Self {
        self.secret = Secrecy::Where(is_secret);
        self
    }

    /// The key as one of the options that `C` is a part of.
    pub fn within<O: 'static>(
        self,
        part: impl Fn(&mut O) -> &mut C + Send + Sync + 'static,
    ) -> Key<O> {
        Key {
            path: self.path,
            meaning: self.meaning,
            kind: self.kind,
            secret: self.secret,
            access: Box::new(Part {
                access: self.access,
                part,
            }),
        }
    }

    fn new<T: 'static>(
        path: impl Into<String>,
        kind: Kind,
        field: impl Fn(&mut C) -> &mut T + Send + Sync + 'static,
        show: impl Fn(&T) -> Scalar + Send + Sync + 'static,
        parse: impl Fn(Scalar) -> Result<T, String> + Send + Sync + 'static,
        meaning: &'static str,
    ) -> Self {
        Self {
            path: path.into(),
            meaning,
            kind,
            secret: Secrecy::None,
            access: Box::new(Place {
                at: field,
                show,
                parse,
                value: PhantomData,
            }),
        }
    }
}

impl<C> Key<C> {
    /// The dotted path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What it means, in one sentence without its full stop.
    pub const fn meaning(&self) -> &'static str {
        self.meaning
    }

    /// What values it takes.
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What stands in its place.
    pub fn read(&self, options: &mut C) -> Scalar {
        self.access.read(options)
    }

    /// What stands in its place, unless it must not be shown.
    pub fn show(&self, options: &mut C) -> Option<Scalar> {
        let value = self.read(options);
        let secret = match self.secret {
            Secrecy::None => false,
            Secrecy::All => true,
            Secrecy::Where(is_secret) => is_secret(&value),
        };
        (!secret).then_some(value)
    }

    /// Fills its place with what was given; otherwise leaves it and says the rule that is broken, and by what unless it is a secret.
    pub fn write(&self, options: &mut C, given: &toml::Value) -> Result<(), String> {
        let written = self
            .kind
            .scalar(given)
            .and_then(|value| self.access.write(options, value));
        written.map_err(|rule| match self.secret {
            Secrecy::None => format!("{rule}, not {given}"),
            Secrecy::All | Secrecy::Where(_) => rule,
        })
    }
}

struct Place<T, F, S, P> {
    at: F,
    show: S,
    parse: P,
    value: PhantomData<fn() -> T>,
}

impl<C, T, F, S, P> Access<C> for Place<T, F, S, P>
where
    T: 'static,
    F: Fn(&mut C) -> &mut T + Send + Sync,
    S: Fn(&T) -> Scalar + Send + Sync,
    P: Fn(Scalar) -> Result<T, String> + Send + Sync,
{
    fn read(&self, options: &mut C) -> Scalar {
        (self.show)((self.at)(options))
    }

    fn write(&self, options: &mut C, value: Scalar) -> Result<(), String> {
        *(self.at)(options) = (self.parse)(value)?;
        Ok(())
    }
}

struct Part<C, F> {
    access: Box<dyn Access<C>>,
    part: F,
}

impl<O, C, F> Access<O> for Part<C, F>
where
    C: 'static,
    F: Fn(&mut O) -> &mut C + Send + Sync,
{
    fn read(&self, options: &mut O) -> Scalar {
        self.access.read((self.part)(options))
    }

    fn write(&self, options: &mut O, value: Scalar) -> Result<(), String> {
        self.access.write((self.part)(options), value)
    }
}

//! The forms of texts that keys take: addresses, URLs, paths, choices.
//!
//! Deliberately absent: whether an address can be listened on or a file be opened; that shows when it is done.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::postgres::{POSTGRES_URL, PostgresUrl};
use crate::sqlite::parse_database_url;

/// How a text becomes a value and back.
#[derive(Debug)]
pub struct Form<T> {
    /// What the text looks like, for the documentation: `ADDRESS:PORT`.
    pub shape: &'static str,
    /// The value of a text; otherwise the rule that the text breaks, beginning with "must".
    pub parse: fn(&str) -> Result<T, String>,
    /// The text of a value, which [`parse`](Self::parse) reads again.
    pub show: fn(&T) -> String,
}

impl<T> Clone for Form<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Form<T> {}

/// An address to listen on.
pub const ADDRESS: Form<SocketAddr> = Form {
    shape: "ADDRESS:PORT",
    parse: |text| text.parse().map_err(|_| "must be ADDRESS:PORT".to_owned()),
    show: ToString::to_string,
};

/// A path of a file or folder; relative ones are of the folder in which the process was started.
pub const PATH: Form<PathBuf> = Form {
    shape: "PATH",
    parse: |text| match text {
        "" => Err("must not be empty".to_owned()),
        path => Ok(path.into()),
    },
    show: |path| path.display().to_string(),
};

/// The file of a store, `sqlite:PATH`.
pub const DATABASE: Form<PathBuf> = Form {
    shape: "sqlite:PATH",
    parse: |text| parse_database_url(text).map_err(|error| error.to_string()),
    show: |path| format!("sqlite:{}", path.display()),
};

/// Where a store is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAddress {
    /// In a file of this machine.
    File(PathBuf),
    /// In a database, which several processes may use.
    Postgres(Box<PostgresUrl>),
}

impl fmt::Display for StoreAddress {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

/// Where a store is kept: in a file, or in a database.
pub const STORE: Form<StoreAddress> = Form {
    shape: "sqlite:PATH | postgres://USER@HOST:PORT/DATABASE",
    parse: |text| {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            let url = (POSTGRES_URL.parse)(text);
            url.map(|url| StoreAddress::Postgres(Box::new(url)))
        } else {
            let file = (DATABASE.parse)(text).map(StoreAddress::File);
            file.map_err(|rule| format!("{rule}; or postgres://USER@HOST:PORT/DATABASE"))
        }
    },
    show: |store| match store {
        StoreAddress::File(path) => (DATABASE.show)(path),
        StoreAddress::Postgres(url) => (POSTGRES_URL.show)(url),
    },
};

/// Where another service listens, without TLS.
pub const HTTP_URL: Form<String> = Form {
    shape: "http://HOST:PORT",
    parse: |text| {
        let uri = text.parse::<tonic::transport::Uri>().ok();
        uri.filter(|uri| uri.scheme_str() == Some("http") && uri.port().is_some())
            .map(|_| text.to_owned())
            .ok_or_else(|| "must be http://HOST:PORT".to_owned())
    },
    show: String::clone,
};

/// Any text that is not empty.
pub const TEXT: Form<String> = Form {
    shape: "TEXT",
    parse: |text| match text {
        "" => Err("must not be empty".to_owned()),
        text => Ok(text.to_owned()),
    },
    show: String::clone,
};

/// A closed set of values, each with its word.
pub trait Choice: Copy + PartialEq + Send + Sync + 'static {
    /// Every value with its word.
    const WORDS: &'static [(&'static str, Self)];
    /// The words as the documentation shows them: `full \| normal`.
    const SHAPE: &'static str;

    /// The form of the choice.
    fn form() -> Form<Self> {
        Form {
            shape: Self::SHAPE,
            parse: |text| {
                let found = Self::WORDS.iter().find(|(word, _)| *word == text);
                found
                    .map(|(_, value)| *value)
                    .ok_or_else(|| format!("must be {}", Self::SHAPE.replace(" | ", " or ")))
            },
            show: |value| {
                let found = Self::WORDS.iter().find(|(_, own)| own == value);
                found.map_or_else(String::new, |(word, _)| (*word).to_owned())
            },
        }
    }
}

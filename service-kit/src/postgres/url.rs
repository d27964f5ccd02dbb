//! Where a PostgreSQL database is.
//!
//! Deliberately absent: connecting (`connect.rs`). A password is never shown, neither by `Debug` nor in an error.

use std::fmt;
use std::net::IpAddr;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use crate::config::Form;

/// The form of a [`PostgresUrl`] in the configuration.
pub const POSTGRES_URL: Form<PostgresUrl> = Form {
    shape: "postgres://USER@HOST:PORT/DATABASE",
    parse: PostgresUrl::parse,
    show: |url| url.text.clone(),
};

const MUST: &str = "must be postgres://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE, with ?sslmode=disable where there is no TLS";

/// Where a database is, and as whom to be there.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    text: String,
    config: Config,
    tls: bool,
}

impl PostgresUrl {
    /// Reads `postgres://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…]/DATABASE[?KEY=VALUE…]` with the keys that PostgreSQL's own programs
    /// know. Of several hosts the one that may write is used. Connections are by TLS, with the server's certificate checked, except to
    /// this machine or with `sslmode=disable`. The error never repeats the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let must = || MUST.to_owned();
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(must());
        }
        let mut config: Config = text.parse().map_err(|_| must())?;
        if config.get_hosts().is_empty() || config.get_dbname().is_none_or(str::is_empty) {
            return Err(must());
        }
        let tls = match config.get_ssl_mode() {
            SslMode::Disable => false,
            SslMode::Require => true,
            // The library's default, which goes on without TLS where there is none: nobody asked for that.
            _ => !config.get_hosts().iter().all(is_this_machine),
        };
        config.ssl_mode(if tls {
            SslMode::Require
        } else {
            SslMode::Disable
        });
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        Ok(Self {
            text: text.to_owned(),
            config,
            tls,
        })
    }

    /// Whether connections are by TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// Whether it has a password.
    pub fn has_password(&self) -> bool {
        self.config.get_password().is_some()
    }

    /// Whether something is sent in clear beyond this machine.
    pub fn is_in_clear(&self) -> bool {
        !self.tls && !self.config.get_hosts().iter().all(is_this_machine)
    }

    /// As the client library takes it.
    pub(super) fn config(&self) -> &Config {
        &self.config
    }
}

fn is_this_machine(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            let address = name.parse::<IpAddr>();
            name == "localhost" || address.is_ok_and(|address| address.is_loopback())
        }
    }
}

impl fmt::Display for PostgresUrl {
    /// Hosts, ports and the database alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("postgres://")?;
        let ports = self.config.get_ports();
        for (n, host) in self.config.get_hosts().iter().enumerate() {
            if n > 0 {
                f.write_str(",")?;
            }
            match host {
                Host::Tcp(name) => f.write_str(name)?,
                Host::Unix(path) => write!(f, "{}", path.display())?,
            }
            if let Some(port) = ports.get(n).or_else(|| ports.last()) {
                write!(f, ":{port}")?;
            }
        }
        write!(f, "/{}", self.config.get_dbname().unwrap_or_default())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_is_left_out_only_where_asked_or_on_this_machine() {
        for (text, tls, in_clear) in [
            ("postgres://u@db.example/acquaint", true, false),
            (
                "postgresql://u@10.0.0.1:5433/acquaint?sslmode=prefer",
                true,
                false,
            ),
            (
                "postgres://u@db.example/acquaint?sslmode=require",
                true,
                false,
            ),
            (
                "postgres://u@db.example/acquaint?sslmode=disable",
                false,
                true,
            ),
            ("postgres://u@127.0.0.1/acquaint", false, false),
            ("postgres://u@localhost/acquaint", false, false),
            (
                "postgres://u@localhost/acquaint?sslmode=require",
                true,
                false,
            ),
            ("postgres://u@localhost,db.example/acquaint", true, false),
            (
                "postgres:///acquaint?host=/run/postgresql&user=u",
                false,
                false,
            ),
        ] {
            let url = PostgresUrl::parse(text).unwrap();
            assert_eq!((url.is_tls(), url.is_in_clear()), (tls, in_clear), "{text}");
            assert_eq!((POSTGRES_URL.show)(&url), text);
        }
    }

    #[test]
    fn a_url_without_host_or_database_is_refused_and_not_repeated() {
        for text in [
            "postgres://",
            "postgres:///acquaint",
            "postgres://u:geheim@db.example",
            "postgres://u:geheim@db.example/",
            "mysql://db.example/x",
            "postgres://u:geheim@db.example/x?nonsense=1",
            "host=db.example dbname=x",
            "",
        ] {
            assert_eq!(PostgresUrl::parse(text), Err(MUST.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let url =
            PostgresUrl::parse("postgres://ann:geheim@a.example:6000,b.example:6001/acquaint")
                .unwrap();
        assert!(url.has_password());
        assert_eq!(
            url.to_string(),
            "postgres://a.example:6000,b.example:6001/acquaint"
        );
        assert_eq!(
            format!("{url:?}"),
            "PostgresUrl(postgres://a.example:6000,b.example:6001/acquaint)"
        );
    }
}

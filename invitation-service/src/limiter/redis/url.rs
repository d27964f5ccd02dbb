//! Where Redis is: one server, one behind sentinels, or a cluster. The URL's scheme says which.
//!
//! Deliberately absent: connecting (`connect.rs`). A password is never shown, neither by `Debug` nor in an error.

use std::{fmt, path::PathBuf};

use percent_encoding::percent_decode_str;
use service_kit::config::Form;

const SERVER_PORT: u16 = 6_379;
const SENTINEL_PORT: u16 = 26_379;

/// The form of a [`RedisUrl`] in the configuration.
pub const REDIS_URL: Form<RedisUrl> = Form {
    shape: "redis://HOST:PORT/DATABASE",
    parse: RedisUrl::parse,
    show: |url| url.text.clone(),
};

/// Where Redis is, with whom to be there.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl {
    text: String,
    /// Whether connections are by TLS.
    pub(super) tls: bool,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: i64,
    pub(super) place: RedisPlace,
}

/// What is at the other end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RedisPlace {
    /// One server.
    Server(Node),
    /// One server on this machine, by its socket.
    Socket(PathBuf),
    /// The master of this name, which these sentinels know.
    Sentinels(Vec<Node>, String),
    /// A cluster, of which these are some nodes.
    Cluster(Vec<Node>),
}

/// A host's name or address, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl RedisUrl {
    /// Reads `SCHEME://[[USER][:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…][/…]`, where the scheme is one of
    ///
    /// - `redis`, `rediss`: one server; the path is a database's number;
    /// - `redis+sentinel`, `rediss+sentinel`: sentinels; the path is the master's name, and may go on with a database;
    /// - `redis+cluster`, `rediss+cluster`: some nodes of a cluster; without a path;
    /// - `redis+unix`: a socket, whose path follows.
    ///
    /// User and password are percent-encoded. The error never repeats the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "must be redis://HOST:PORT, rediss://…, redis+sentinel://HOST:PORT,…/MASTER, redis+cluster://HOST:PORT,… or \
                            redis+unix:///PATH";
        let form = || FORM.to_owned();
        let (scheme, rest) = text.split_once("://").ok_or_else(form)?;
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (credentials, hosts) = match authority.rsplit_once('@') {
            Some((credentials, hosts)) => (credentials, hosts),
            None => ("", authority),
        };
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, password),
            None => (credentials, ""),
        };
        let (protocol, kind) = scheme.split_once('+').unwrap_or((scheme, ""));
        let tls = match protocol {
            "redis" => false,
            "rediss" => true,
            _ => return Err(form()),
        };
        let path_after = path.strip_prefix('/').unwrap_or(path);
        let (place, database) = match kind {
            "" => {
                let node = node(hosts, SERVER_PORT)?;
                (RedisPlace::Server(node), path_after)
            }
            "sentinel" => {
                let (master, database) = path_after.split_once('/').unwrap_or((path_after, ""));
                if master.is_empty() {
                    return Err("must name the master: redis+sentinel://HOST:PORT/MASTER".into());
                }
                let nodes = nodes(hosts, SENTINEL_PORT)?;
                (RedisPlace::Sentinels(nodes, master.to_owned()), database)
            }
            "cluster" if path_after.is_empty() => {
                (RedisPlace::Cluster(nodes(hosts, SERVER_PORT)?), "")
            }
            "cluster" => return Err("must not have a path, for a cluster has one database".into()),
            "unix" if !tls && hosts.is_empty() && path.len() > 1 => {
                (RedisPlace::Socket(path.into()), "")
            }
            _ => return Err(form()),
        };
        Ok(Self {
            text: text.to_owned(),
            tls,
            user: decoded(user)?,
            password: decoded(password)?,
            database: database_number(database)?,
            place,
        })
    }

    /// Whether it has a password.
    pub fn has_password(&self) -> bool {
        self.password.is_some()
    }

    /// Whether connections are by TLS.
    pub fn is_tls(&self) -> bool {
        self.tls
    }
}

impl fmt::Display for RedisUrl {
    /// The URL without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.tls { "rediss" } else { "redis" };
        let listed = |nodes: &[Node]| {
            let nodes: Vec<_> = nodes.iter().map(ToString::to_string).collect();
            nodes.join(",")
        };
        match &self.place {
            RedisPlace::Server(node) => write!(f, "{protocol}://{node}/{}", self.database),
            RedisPlace::Socket(path) => write!(f, "{protocol}+unix://{}", path.display()),
            RedisPlace::Sentinels(nodes, master) => {
                let nodes = listed(nodes);
                write!(
                    f,
                    "{protocol}+sentinel://{nodes}/{master}/{}",
                    self.database
                )
            }
            RedisPlace::Cluster(nodes) => write!(f, "{protocol}+cluster://{}", listed(nodes)),
        }
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedisUrl({self})")
    }
}

fn nodes(text: &str, port: u16) -> Result<Vec<Node>, String> {
    text.split(',').map(|text| node(text, port)).collect()
}

fn node(text: &str, default_port: u16) -> Result<Node, String> {
    let wrong =
        || "must name each host as HOST or HOST:PORT, IPv6 addresses in brackets".to_owned();
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
            (
                host,
                port.strip_prefix(':').or(port.is_empty().then_some("")),
            )
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, Some("")),
        },
    };
    let port = match port.ok_or_else(wrong)? {
        "" => default_port,
        port => port.parse().map_err(|_| wrong())?,
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    if host.is_empty() || port == 0 || !host.chars().all(allowed) {
        return Err(wrong());
    }
    Ok(Node {
        host: host.to_owned(),
        port,
    })
}

fn decoded(text: &str) -> Result<Option<String>, String> {
    let decoded = percent_decode_str(text).decode_utf8();
    let decoded = decoded.map_err(|_| "must have user and password in UTF-8".to_owned())?;
    Ok((!decoded.is_empty()).then(|| decoded.into_owned()))
}

fn database_number(text: &str) -> Result<i64, String> {
    match text {
        "" => Ok(0),
        number => match number.parse::<u16>() {
            Ok(number) => Ok(number.into()),
            Err(_) => Err("must have the number of a database, if anything, at its end".into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_and_shown_without_its_password() {
        for (text, shown) in [
            ("redis://127.0.0.1:7000", "redis://127.0.0.1:7000/0"),
            ("redis://cache", "redis://cache:6379/0"),
            ("rediss://:geheim@cache:1/3", "rediss://cache:1/3"),
            ("redis://u:geheim@[::1]:7", "redis://[::1]:7/0"),
            ("redis://[::1]/", "redis://[::1]:6379/0"),
            (
                "redis+sentinel://u:geheim@a,b:2/mine/1",
                "redis+sentinel://a:26379,b:2/mine/1",
            ),
            ("rediss+cluster://a:1,b", "rediss+cluster://a:1,b:6379"),
            (
                "redis+unix:///run/redis.sock",
                "redis+unix:///run/redis.sock",
            ),
        ] {
            let url = RedisUrl::parse(text).unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!((REDIS_URL.show)(&url), text);
            assert_eq!(url.has_password(), text.contains("geheim"), "{text}");
            assert!(!format!("{url:?}").contains("geheim"), "{url:?}");
            assert_eq!(url.is_tls(), text.starts_with("rediss"));
        }
        let url = RedisUrl::parse("redis://a%40b:p%2Fw%3A@h").unwrap();
        assert_eq!(url.user.as_deref(), Some("a@b"));
        assert_eq!(url.password.as_deref(), Some("p/w:"));
    }

    #[test]
    fn what_is_malformed_is_refused_without_being_repeated() {
        for text in [
            "",
            "cache:6379",
            "http://geheim@cache",
            "redis://",
            "redis://:geheim@:1",
            "redis://h:0",
            "redis://h:70000",
            "redis://h:1:2",
            "redis://a,b",
            "redis://h/geheim",
            "redis://[::1",
            "redis://[::1]x",
            "redis+sentinel://geheim",
            "redis+sentinel://a,,b/m",
            "redis+cluster://a/1",
            "redis+unix://host/geheim",
            "redis+unix:///",
            "rediss+unix:///geheim",
            "redis+other://geheim",
            "redis://%ff:geheim@h",
        ] {
            let rule = RedisUrl::parse(text).unwrap_err();
            assert!(
                rule.starts_with("must ") && !rule.contains("geheim"),
                "{text}: {rule}"
            );
        }
    }
}

//! Where the replicas of a service are, as the configuration names it.
//!
//! Deliberately absent: TLS, which there is none of between services, and looking names up.

use std::fmt;
use std::net::SocketAddr;

use http::Uri;
use tonic::transport::Endpoint;

use crate::config::Form;

/// How many hosts a URL may name.
const HOSTS_MAX: usize = 64;

/// The form of [`HttpHosts`] in the configuration.
pub const HTTP_HOSTS: Form<HttpHosts> = Form {
    shape: "http://HOST:PORT,HOST:PORT",
    parse: HttpHosts::parse,
    show: ToString::to_string,
};

/// One host or several, each an address or a name, of one address or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpHosts(Vec<Uri>);

impl HttpHosts {
    /// Reads `http://HOST:PORT[,HOST:PORT…]`, at most 64 hosts.
    pub fn parse(text: &str) -> Result<Self, String> {
        let must = || {
            format!(
                "must be http://HOST:PORT, or several as http://HOST:PORT,HOST:PORT, at most {HOSTS_MAX}"
            )
        };
        let hosts = text.strip_prefix("http://").ok_or_else(must)?;
        let hosts = hosts.strip_suffix('/').unwrap_or(hosts).split(',');
        let hosts: Option<Vec<_>> = hosts.map(host).collect();
        let hosts = hosts.filter(|hosts| hosts.len() <= HOSTS_MAX);
        hosts.map(Self).ok_or_else(must)
    }

    /// The host, where there is but one and it is an address, so that there is nothing to look up.
    pub(super) fn only_address(&self) -> Option<Endpoint> {
        let [only] = &*self.0 else { return None };
        shown(only).parse::<SocketAddr>().ok()?;
        Some(Endpoint::from(only.clone()))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Each host as it stands there, to be looked up by whoever connects.
    pub(super) fn endpoint(&self, nth: usize) -> Option<Endpoint> {
        self.0.get(nth).cloned().map(Endpoint::from)
    }

    /// The name or address of each host, and its port, as they are looked up.
    pub(super) fn names_and_ports(&self) -> impl Iterator<Item = (String, u16)> {
        self.0.iter().map(|host| {
            let (name, port) = (host.host().unwrap_or_default(), host.port_u16());
            let bare = name
                .strip_prefix('[')
                .and_then(|name| name.strip_suffix(']'));
            (bare.unwrap_or(name).to_owned(), port.unwrap_or_default())
        })
    }
}

impl From<Uri> for HttpHosts {
    /// The one host that a URI names.
    fn from(uri: Uri) -> Self {
        Self(vec![uri])
    }
}

/// `HOST:PORT` without a user.
fn host(text: &str) -> Option<Uri> {
    let uri: Uri = format!("http://{text}").parse().ok()?;
    let named = uri.host().is_some_and(|host| !host.is_empty()) && uri.port_u16().is_some();
    (named && shown(&uri) == text && !text.contains('@')).then_some(uri)
}

fn shown(host: &Uri) -> &str {
    host.authority().map_or("", |authority| authority.as_str())
}

impl fmt::Display for HttpHosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, host) in self.0.iter().enumerate() {
            f.write_str(if n == 0 { "http://" } else { "," })?;
            f.write_str(shown(host))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_or_several_are_read_and_shown_again() {
        for (text, only) in [
            ("http://127.0.0.1:50052", Some("http://127.0.0.1:50052/")),
            ("http://[::1]:50052", Some("http://[::1]:50052/")),
            ("http://connections:50052", None),
            ("http://a.example:1,10.0.0.2:2,[::1]:3", None),
        ] {
            let hosts = HttpHosts::parse(text).unwrap();
            assert_eq!((HTTP_HOSTS.show)(&hosts), text);
            let called = hosts.only_address();
            let called = called.map(|called| called.uri().to_string());
            assert_eq!(called, only.map(str::to_owned), "{text}");
        }
        let slash = HttpHosts::parse("http://h:1/").unwrap();
        assert_eq!(slash.to_string(), "http://h:1");
    }

    #[test]
    fn a_host_is_looked_up_without_brackets() {
        let hosts = HttpHosts::parse("http://a.example:1,[::1]:3").unwrap();
        let asked: Vec<_> = hosts.names_and_ports().collect();
        assert_eq!(asked, [("a.example".to_owned(), 1), ("::1".to_owned(), 3)]);
        let called = hosts.endpoint(0).unwrap();
        assert_eq!(called.uri().to_string(), "http://a.example:1/");
    }

    #[test]
    fn what_is_no_host_is_refused() {
        let many = format!("http://{}h:1", "h:1,".repeat(HOSTS_MAX));
        for text in [
            "",
            "http://",
            "h:1",
            "https://h:1",
            "http://h",
            "http://:1",
            "http://h:1,",
            "http://h:1,http://i:1",
            "http://h:1/path",
            "http://h:70000",
            "http://user@h:1",
            &many,
        ] {
            assert!(HttpHosts::parse(text).is_err(), "{text}");
        }
    }
}

//! Which of several hosts is connected to: the first that may write.
//!
//! The one that was found last is asked first, then the others in their order; each as soon as the one before it has refused, or has not
//! answered for a moment: a machine that has vanished answers nothing at all, and must not use up the time in which its standby could be
//! found. Deliberately absent: ruling out that two may write, which whoever promotes a standby must.

use std::collections::VecDeque;
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::select;
use tokio::time::sleep;
use tokio_postgres::Config;
use tokio_postgres::config::Host;

/// How long one is waited for before the next is asked too.
const NEXT_AFTER: Duration = Duration::from_millis(200);

/// The hosts of a URL. Clones share which was found last.
#[derive(Clone)]
pub(super) struct Hosts {
    /// How to reach each alone.
    each: Arc<[Config]>,
    /// Which of them was found last.
    found: Arc<AtomicUsize>,
}

impl Hosts {
    /// Those of `config`.
    pub(super) fn of(config: &Config) -> Self {
        let (hosts, addresses) = (config.get_hosts(), config.get_hostaddrs());
        let ports = config.get_ports();
        let fits = |number: usize| number <= 1 || number == hosts.len();
        let each = if fits(ports.len()) && (addresses.is_empty() || addresses.len() == hosts.len())
        {
            let each = hosts.iter().enumerate().map(|(n, host)| {
                let mut alone = without_hosts(config);
                match host {
                    Host::Tcp(name) => alone.host(name),
                    Host::Unix(path) => alone.host_path(path),
                };
                if let Some(address) = addresses.get(n) {
                    alone.hostaddr(*address);
                }
                if let Some(port) = ports.get(n).or(ports.first()) {
                    alone.port(*port);
                }
                alone
            });
            each.collect()
        } else {
            // The library says what does not fit together.
            iter::once(config.clone()).collect()
        };
        Self {
            each,
            found: Arc::default(),
        }
    }

    /// What `connect` comes to at the first that it succeeds at; where that is none, at the last that has refused.
    pub(super) async fn first<T, E, C>(&self, connect: impl Fn(Config) -> C) -> Option<Result<T, E>>
    where
        C: Future<Output = Result<T, E>>,
    {
        let found = self.found.load(Ordering::Relaxed);
        let mut waiting: VecDeque<_> = self.each.iter().enumerate().collect();
        waiting.rotate_left(found.min(waiting.len()));
        let mut asked = FuturesUnordered::new();
        let mut last = None;
        loop {
            if let Some((number, config)) = waiting.pop_front() {
                let connecting = connect(config.clone());
                asked.push(async move { (number, connecting.await) });
            }
            select! {
                answer = asked.next() => match answer {
                    Some((number, Ok(connected))) => {
                        self.found.store(number, Ordering::Relaxed);
                        return Some(Ok(connected));
                    }
                    Some((_, Err(refused))) => last = Some(Err(refused)),
                    None => return last,
                },
                () = sleep(NEXT_AFTER), if !waiting.is_empty() => {}
            }
        }
    }
}

/// Everything but where.
fn without_hosts(config: &Config) -> Config {
    let mut alone = Config::new();
    if let Some(user) = config.get_user() {
        alone.user(user);
    }
    if let Some(password) = config.get_password() {
        alone.password(password);
    }
    if let Some(name) = config.get_dbname() {
        alone.dbname(name);
    }
    if let Some(options) = config.get_options() {
        alone.options(options);
    }
    if let Some(name) = config.get_application_name() {
        alone.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        alone.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        alone.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        alone.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        alone.keepalives_retries(retries);
    }
    alone
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle())
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .target_session_attrs(config.get_target_session_attrs())
        .load_balance_hosts(config.get_load_balance_hosts());
    alone
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::Instant;

    use super::*;

    fn hosts(text: &str) -> Hosts {
        Hosts::of(&text.parse().unwrap())
    }

    fn port(config: &Config) -> u16 {
        config.get_ports().first().copied().unwrap_or_default()
    }

    #[test]
    fn each_host_alone_has_everything_that_all_have() {
        let text = "postgres://ann:geheim@a.example:6000,b.example:6001/x?sslmode=require&keepalives_retries=7\
                    &tcp_user_timeout=3&connect_timeout=2&options=-c%20x%3D1&application_name=me&hostaddr=10.0.0.1,10.0.0.2";
        let both: Config = text.parse().unwrap();
        for (number, config) in hosts(text).each.iter().enumerate() {
            let (name, address) = [("a", "10.0.0.1"), ("b", "10.0.0.2")][number];
            let alone = format!("{name}.example:600{number}");
            let alone = text
                .replace("a.example:6000,b.example:6001", &alone)
                .replace("10.0.0.1,10.0.0.2", address);
            assert_eq!(*config, alone.parse().unwrap());
            assert_ne!(*config, both);
        }
        let one_port = hosts("postgres://u@a.example,b.example:6001/x?port=7000");
        assert_eq!(one_port.each.len(), 1, "which port is whose nobody can say");
        assert_eq!(hosts("host=a,b port=7000 dbname=x").each.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_does_not_answer_keeps_nobody_waiting_for_long() {
        let hosts = hosts("postgres://u@a:1,b:2,c:3/x");
        let connect = async |config: Config| match port(&config) {
            1 => pending().await,
            2 => Err("only reads"),
            port => Ok(port),
        };
        let begun = Instant::now();
        assert_eq!(hosts.first(connect).await, Some(Ok(3)));
        assert_eq!(begun.elapsed(), NEXT_AFTER, "who refuses is not waited for");
        // Who was found is asked first.
        assert_eq!(hosts.clone().first(connect).await, Some(Ok(3)));
        assert_eq!(begun.elapsed(), NEXT_AFTER);
        // When the one has become another's standby, the other is found.
        let connect = async |config: Config| match port(&config) {
            1 => Ok(1),
            _ => Err("only reads"),
        };
        assert_eq!(hosts.first(connect).await, Some(Ok(1)));
        let refuse = async |config: Config| Err::<(), _>(port(&config));
        assert_eq!(hosts.first(refuse).await, Some(Err(3)));
    }
}

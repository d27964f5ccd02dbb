//! Calling a service of which there are several replicas: its calls are spread over those that say they serve.
//!
//! Names are looked up again and again, since replicas come and go ([`keeper`]); each address found is asked whether it serves, by the health
//! service that every server here has ([`health`]); tonic's balancer sends each call to one of those that do. A replica that drains says so first,
//! and gets no further calls. Where none says that it serves, all are tried, so that callers hear why. Deliberately absent: calling
//! again after a failure, which is the caller's to decide, and weights.

mod health;
mod hosts;
mod keeper;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tonic::transport::{Channel, Endpoint};

pub use hosts::{HTTP_HOSTS, HttpHosts};

/// How many changes may wait for the balancer.
const CHANGES_MAX: usize = 64;

/// What makes connections to replicas such as their caller wants them.
pub type Tune = fn(Endpoint) -> Endpoint;

/// Finds the addresses of a name.
type Lookup =
    Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// How replicas are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BalanceOptions {
    /// How long after names were looked up they are looked up again. Default 1 s.
    pub lookup_every: Duration,
}

impl Default for BalanceOptions {
    fn default() -> Self {
        Self {
            lookup_every: Duration::from_secs(1),
        }
    }
}

/// A channel to the replicas on `hosts`, over connections made as `tune` says. Within a tokio runtime, on which a task keeps it up until the last
/// clone of the channel is gone. A single address needs none: the channel leads there.
pub fn channel(hosts: &HttpHosts, options: BalanceOptions, tune: Tune) -> Channel {
    if let Some(address) = hosts.only_address() {
        return tune(address).connect_lazy();
    }
    let lookup: Lookup = Arc::new(|name, port| {
        let found = async move { Ok(tokio::net::lookup_host((name, port)).await?.collect()) };
        found.boxed()
    });
    balanced(hosts.clone(), options, tune, lookup)
}

fn balanced(hosts: HttpHosts, options: BalanceOptions, tune: Tune, lookup: Lookup) -> Channel {
    let (channel, changes) = Channel::balance_channel(CHANGES_MAX);
    tokio::spawn(keeper::Keeper::new(hosts, tune, changes).run(options, lookup));
    channel
}

#[cfg(test)]
mod tests;

//! Keeping up which replicas are called.
//!
//! Deliberately absent: choosing one for a call; tonic's balancer does.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use futures::future::join_all;
use http::Uri;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use tonic::transport::Endpoint;
use tonic::transport::channel::Change;

use super::{BalanceOptions, HttpHosts, Lookup, Tune, health};

/// How many addresses of one name are used; the lowest, where there are more.
const ADDRESSES_MAX: usize = 64;
/// How many answers of replicas may wait.
const TOLD_MAX: usize = 64;

/// Where calls are sent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// The nth host as it is named, looked up by whoever connects: while no address is known, so that callers hear why.
    Named(usize),
    /// An address.
    At(SocketAddr),
}

struct Replica {
    serves: bool,
    _asking: AbortOnDropHandle<()>,
}

/// What is known of the replicas, and which of them the balancer has.
pub(super) struct Keeper {
    hosts: HttpHosts,
    tune: Tune,
    changes: mpsc::Sender<Change<Place, Endpoint>>,
    /// The addresses of each host, as of the last time that looking it up succeeded.
    found: Vec<BTreeSet<SocketAddr>>,
    replicas: BTreeMap<SocketAddr, Replica>,
    used: BTreeSet<Place>,
}

impl Keeper {
    pub(super) fn new(
        hosts: HttpHosts,
        tune: Tune,
        changes: mpsc::Sender<Change<Place, Endpoint>>,
    ) -> Self {
        let found = vec![BTreeSet::new(); hosts.len()];
        Self {
            hosts,
            tune,
            changes,
            found,
            replicas: BTreeMap::new(),
            used: BTreeSet::new(),
        }
    }

    /// Keeps the balancer up until it has gone.
    pub(super) async fn run(mut self, options: BalanceOptions, lookup: Lookup) {
        let (tell, mut told) = mpsc::channel(TOLD_MAX);
        let changes = self.changes.clone();
        let mut gone = pin!(changes.closed());
        let hosts = self.hosts.clone();
        let look_up_after = |wait| Box::pin(look_up(hosts.clone(), lookup.clone(), wait));
        let mut looking = look_up_after(Duration::ZERO);
        loop {
            if self.apply().await.is_err() {
                return;
            }
            tokio::select! {
                () = &mut gone => return,
                found = &mut looking => {
                    self.take(found, &tell);
                    looking = look_up_after(options.lookup_every);
                }
                Some((address, serves)) = told.recv() => self.hear(address, serves),
            }
        }
    }

    /// Takes note of the addresses that were found. Those of a host that could not be looked up stay as they were: whether anybody is there is
    /// known without it.
    fn take(
        &mut self,
        found: Vec<io::Result<BTreeSet<SocketAddr>>>,
        tell: &mpsc::Sender<(SocketAddr, bool)>,
    ) {
        for (known, found) in self.found.iter_mut().zip(found) {
            match found {
                Ok(found) => *known = found,
                Err(error) => tracing::debug!("{} cannot be looked up: {error}", self.hosts),
            }
        }
        let all: BTreeSet<_> = self.found.iter().flatten().copied().collect();
        self.replicas.retain(|address, _| all.contains(address));
        for address in all {
            if self.replicas.contains_key(&address) {
                continue;
            }
            let Some(endpoint) = self.endpoint(&Place::At(address)) else {
                tracing::debug!("{address} of {} cannot be called", self.hosts);
                continue;
            };
            let asking = tokio::spawn(health::ask(address, endpoint, tell.clone()));
            let replica = Replica {
                serves: false,
                _asking: AbortOnDropHandle::new(asking),
            };
            self.replicas.insert(address, replica);
        }
    }

    fn hear(&mut self, address: SocketAddr, serves: bool) {
        let Some(replica) = self.replicas.get_mut(&address) else {
            return;
        };
        if std::mem::replace(&mut replica.serves, serves) != serves {
            let says = if serves { "serves" } else { "does not serve" };
            tracing::info!("the replica on {address} of {} {says}", self.hosts);
        }
    }

    /// Where calls should go.
    fn wanted(&self) -> BTreeSet<Place> {
        let replicas = || self.replicas.iter();
        let serving: BTreeSet<_> = replicas()
            .filter(|(_, replica)| replica.serves)
            .map(|(address, _)| Place::At(*address))
            .collect();
        if !serving.is_empty() {
            return serving;
        }
        if self.replicas.is_empty() {
            return (0..self.hosts.len()).map(Place::Named).collect();
        }
        replicas().map(|(address, _)| Place::At(*address)).collect()
    }

    /// How a place is called; `None` for an address that no URL can have, such as one with a scope.
    fn endpoint(&self, place: &Place) -> Option<Endpoint> {
        let endpoint = match *place {
            Place::Named(nth) => self.hosts.endpoint(nth),
            Place::At(address) => {
                let uri = format!("http://{address}").parse::<Uri>().ok();
                uri.map(Endpoint::from)
            }
        };
        endpoint.map(self.tune)
    }

    /// Tells the balancer what has changed, first of whom there is: it is never left without. Fails when it has gone.
    async fn apply(&mut self) -> Result<(), mpsc::error::SendError<Change<Place, Endpoint>>> {
        let wanted = self.wanted();
        for place in wanted.difference(&self.used) {
            let Some(endpoint) = self.endpoint(place) else {
                continue;
            };
            self.changes
                .send(Change::Insert(place.clone(), endpoint))
                .await?;
        }
        for place in self.used.difference(&wanted) {
            self.changes.send(Change::Remove(place.clone())).await?;
        }
        self.used = wanted;
        Ok(())
    }
}

/// The addresses of each host, looked up after a wait.
async fn look_up(
    hosts: HttpHosts,
    lookup: Lookup,
    wait: Duration,
) -> Vec<io::Result<BTreeSet<SocketAddr>>> {
    tokio::time::sleep(wait).await;
    let found = hosts
        .names_and_ports()
        .map(|(name, port)| lookup(name, port));
    let found = join_all(found).await.into_iter();
    found
        .map(|found| {
            let sorted: BTreeSet<_> = found?.into_iter().collect();
            Ok(sorted.into_iter().take(ADDRESSES_MAX).collect())
        })
        .collect()
}

//! Calls over real sockets to replicas that come, go, drain and die. Which of them answered is told by a service that only it has.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use super::*;
use crate::auth::Callers;
use crate::requests::Requests;
use crate::server::{Api, ConnectionMetrics, HealthHandle, Server, ServerOptions, Serving, listen};
use crate::trace::{TraceIds, Tracer};

/// Within which what is awaited happens.
const PATIENCE: Duration = Duration::from_secs(30);
/// Calls in a row after which a replica that answered none of them is not called any more: by chance that happens once in 2^64.
const IN_A_ROW: usize = 64;

const ONE: Api = api(&["test.One"]);
const TWO: Api = api(&["test.Two"]);

const fn api(services: &'static [&'static str]) -> Api {
    Api {
        services,
        methods: &[],
        descriptor_sets: &[],
    }
}

struct Replica {
    name: &'static str,
    address: SocketAddr,
    health: HealthHandle,
    shutdown: CancellationToken,
    serving: Serving,
}

impl Replica {
    async fn start(api: Api) -> Self {
        let listener = listen("127.0.0.1:0".parse().unwrap(), false).await.unwrap();
        let (address, health) = (listener.local_addr().unwrap(), HealthHandle::new());
        let requests = Requests::new(&api, Tracer::without_export(TraceIds::new(1))).unwrap();
        let (callers, figures) = (Callers::anybody(), ConnectionMetrics::default());
        let options = ServerOptions::default();
        let server = Server::new(
            listener,
            api,
            callers,
            requests,
            figures,
            health.clone(),
            options,
        );
        let shutdown = CancellationToken::new();
        health.set_serving();
        Self {
            name: api.services[0],
            address,
            health,
            serving: server.unwrap().start(&shutdown),
            shutdown,
        }
    }

    async fn end(self) {
        self.shutdown.cancel();
        self.serving
            .while_open(std::future::pending())
            .await
            .unwrap();
    }
}

/// What a name is looked up as, and how often it was.
#[derive(Clone, Default)]
struct Names(Arc<(Mutex<Vec<SocketAddr>>, AtomicUsize)>);

impl Names {
    fn set(&self, addresses: impl IntoIterator<Item = SocketAddr>) {
        *self.0.0.lock().unwrap() = addresses.into_iter().collect();
    }

    /// A channel to `replicas:1`, which is nobody where no address is set.
    fn channel(&self) -> Channel {
        let names = self.0.clone();
        let lookup: Lookup = Arc::new(move |name, port| {
            assert_eq!((name.as_str(), port), ("replicas", 1));
            names.1.fetch_add(1, Ordering::Relaxed);
            let found = names.0.lock().unwrap().clone();
            let found = if found.is_empty() {
                Err(io::Error::other("no such name"))
            } else {
                Ok(found)
            };
            std::future::ready(found).boxed()
        });
        let hosts = HttpHosts::parse("http://replicas:1").unwrap();
        let options = BalanceOptions {
            lookup_every: Duration::from_millis(20),
        };
        balanced(
            hosts,
            options,
            |endpoint| endpoint.connect_timeout(PATIENCE),
            lookup,
        )
    }
}

/// Who answers a call: the one that knows its own name.
async fn who(channel: &Channel) -> Result<&'static str, Status> {
    let mut client = HealthClient::new(channel.clone());
    let about = |service: &str| HealthCheckRequest {
        service: service.to_owned(),
    };
    let one = client.check(about(ONE.services[0])).await;
    match one.map_err(|status| status.code()) {
        Ok(_) => Ok(ONE.services[0]),
        Err(Code::NotFound) => Ok(TWO.services[0]),
        Err(code) => Err(Status::new(code, "")),
    }
}

/// Who answers some calls in a row; each of them must be answered.
async fn round(channel: &Channel) -> BTreeSet<&'static str> {
    let mut answered = BTreeSet::new();
    for _ in 0..IN_A_ROW {
        answered.insert(who(channel).await.unwrap());
    }
    answered
}

/// Until exactly these answer; meanwhile calls may fail.
async fn until(channel: &Channel, names: &[&'static str]) {
    let names: BTreeSet<_> = names.iter().copied().collect();
    let awaited = async {
        loop {
            let mut answered = BTreeSet::new();
            for _ in 0..IN_A_ROW {
                answered.extend(who(channel).await.ok());
                tokio::task::yield_now().await;
            }
            if answered == names {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, awaited).await.unwrap();
}

#[tokio::test]
async fn calls_are_spread_over_those_that_serve() {
    let (one, two) = (Replica::start(ONE).await, Replica::start(TWO).await);
    let names = Names::default();
    names.set([one.address, two.address]);
    let channel = names.channel();
    until(&channel, &[one.name, two.name]).await;
    one.health.set_not_serving();
    until(&channel, &[two.name]).await;
    assert_eq!(round(&channel).await, [two.name].into());
    one.health.set_serving();
    until(&channel, &[one.name, two.name]).await;
}

#[tokio::test]
async fn one_that_ends_is_called_no_more_and_its_successor_is() {
    let (one, two) = (Replica::start(ONE).await, Replica::start(TWO).await);
    let names = Names::default();
    names.set([one.address, two.address]);
    let channel = names.channel();
    until(&channel, &[one.name, two.name]).await;
    let gone = one.address;
    one.end().await;
    until(&channel, &[two.name]).await;
    assert_eq!(round(&channel).await, [two.name].into());
    // Still named, and still not there.
    assert_eq!(*names.0.0.lock().unwrap(), [gone, two.address]);
    let one = Replica::start(ONE).await;
    names.set([one.address, two.address]);
    until(&channel, &[one.name, two.name]).await;
    names.set([one.address]);
    until(&channel, &[one.name]).await;
}

#[tokio::test]
async fn a_name_that_cannot_be_looked_up_any_more_leaves_who_was_found() {
    let one = Replica::start(ONE).await;
    let names = Names::default();
    names.set([one.address]);
    let channel = names.channel();
    until(&channel, &[one.name]).await;
    names.set([]);
    let asked = names.0.1.load(Ordering::Relaxed);
    while names.0.1.load(Ordering::Relaxed) < asked + 3 {
        assert_eq!(who(&channel).await.unwrap(), one.name);
    }
}

#[tokio::test]
async fn where_nobody_serves_a_call_fails_at_once_and_later_ones_do_not() {
    let names = Names::default();
    let channel = names.channel();
    // The name is none.
    let failed = tokio::time::timeout(PATIENCE, who(&channel)).await.unwrap();
    assert_eq!(failed.unwrap_err().code(), Code::Unavailable);
    // Nobody listens there.
    let one = Replica::start(ONE).await;
    let gone = one.address;
    one.end().await;
    names.set([gone]);
    let failed = tokio::time::timeout(PATIENCE, who(&channel)).await.unwrap();
    assert_eq!(failed.unwrap_err().code(), Code::Unavailable);
    // Somebody does, and says that it does not serve: it says itself why.
    let two = Replica::start(TWO).await;
    two.health.set_not_serving();
    names.set([two.address]);
    until(&channel, &[two.name]).await;
    two.health.set_serving();
    assert_eq!(round(&channel).await, [two.name].into());
}

#[tokio::test]
async fn the_task_ends_with_the_channel() {
    let names = Names::default();
    let channel = names.channel();
    let (names, lookups) = (Arc::downgrade(&names.0), names);
    drop(lookups);
    assert!(names.upgrade().is_some());
    drop(channel);
    let over = async {
        while names.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, over).await.unwrap();
}

#[tokio::test]
async fn an_address_is_called_as_it_stands() {
    let one = Replica::start(ONE).await;
    let hosts = HttpHosts::parse(&format!("http://{}", one.address)).unwrap();
    let channel = channel(&hosts, BalanceOptions::default(), |endpoint| endpoint);
    assert_eq!(who(&channel).await.unwrap(), one.name);
}

#[tokio::test]
async fn a_name_is_looked_up_by_the_system() {
    let one = Replica::start(ONE).await;
    let hosts = HttpHosts::parse(&format!("http://localhost:{}", one.address.port())).unwrap();
    let channel = channel(&hosts, BalanceOptions::default(), |endpoint| endpoint);
    until(&channel, &[one.name]).await;
}

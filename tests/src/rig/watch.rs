//! Watchers that go away and come back at random, wherever the services are killed, and fold what they are told.
//!
//! Deliberately absent: deciding whether what was folded is right, beyond what a watcher may never be told.

use std::{collections::BTreeMap, future::Future, sync::Arc, time::Duration};

use acquaint_proto::{
    connection::v1::{WatchConnectionsResponse, watch_connections_response::Content as Connected},
    invitation::v1::{WatchInvitationsResponse, watch_invitations_response::Content as Invited},
};
use fastrand::Rng;
use tokio::{sync::watch, task::JoinHandle};
use tonic::{Code, Status};

use super::{journal::Journal, process::Clients};
use crate::watcher::{ConnectionList, InvitationLists, Message, Scope, Watcher};

/// How many messages a watcher takes at most before it goes away.
const MESSAGES_MAX: usize = 60;
/// How long it is away when the service is.
const AWAY: Duration = Duration::from_millis(20);
/// How long a token may take to be had from a service that is there.
const BEGIN_MAX: Duration = Duration::from_secs(10);

/// What is folded.
pub trait Fold: Clone + Default + PartialEq + std::fmt::Debug + Send + Sync + 'static {
    /// What a watch says.
    type Message: Message + std::fmt::Debug;

    /// The client that watches.
    fn client(clients: &Clients) -> <Self::Message as Message>::Client;
    /// Takes a message; what was wrong with it.
    fn take(&mut self, message: &Self::Message) -> Option<String>;
    /// What the service lists, for comparison.
    fn listed(
        clients: &Clients,
        scope: &Scope,
    ) -> impl Future<Output = Result<Option<Self>, Status>> + Send;
}

/// A watcher that comes back by itself.
pub struct Watching<F> {
    scope: Scope,
    folded: watch::Receiver<F>,
    task: JoinHandle<()>,
}

impl<F: Fold> Watching<F> {
    /// Begins, and returns when the watcher has its first token: from then on it misses nothing.
    pub async fn begin(
        clients: Clients,
        scope: Scope,
        journal: Arc<Journal>,
        seed: u64,
    ) -> Watching<F> {
        let began = Watcher::<F::Message>::with(F::client(&clients), scope.clone(), "");
        let watcher = tokio::time::timeout(BEGIN_MAX, began).await;
        let token = watcher.expect("a watch begins").unwrap().token;
        let (fold, folded) = watch::channel(F::default());
        let come_back = come_back(clients, scope.clone(), token, fold, journal, seed);
        let task = tokio::spawn(come_back);
        Self {
            scope,
            folded,
            task,
        }
    }

    /// Waits until what was folded is what the service lists; what is folded and what is listed where it never is.
    pub async fn agrees(&self, clients: &Clients, limit: Duration) -> Result<(), String> {
        let listed = F::listed(clients, &self.scope).await;
        let Some(listed) = listed.map_err(|status| format!("{status:?}"))? else {
            return Ok(());
        };
        let mut folded = self.folded.clone();
        let agreed = tokio::time::timeout(limit, folded.wait_for(|folded| *folded == listed));
        if matches!(agreed.await, Ok(Ok(_))) {
            return Ok(());
        }
        let folded = folded.borrow().clone();
        Err(format!(
            "{:?} was told {folded:?}\nwhere there is {listed:?}",
            self.scope
        ))
    }

    /// What was folded so far.
    pub fn folded(&self) -> F {
        self.folded.borrow().clone()
    }
}

impl<F> Drop for Watching<F> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn come_back<F: Fold>(
    clients: Clients,
    scope: Scope,
    mut token: String,
    fold: watch::Sender<F>,
    journal: Arc<Journal>,
    seed: u64,
) {
    let mut rng = Rng::with_seed(seed);
    loop {
        let client = F::client(&clients);
        let mut watcher = match Watcher::<F::Message>::with(client, scope.clone(), &token).await {
            Ok(watcher) => watcher,
            Err(status) => {
                // Positions of one history are never taken back by a crash.
                if matches!(status.code(), Code::FailedPrecondition | Code::OutOfRange) {
                    journal.violation(format!("{scope:?} cannot resume: {status:?}"));
                }
                tokio::time::sleep(AWAY).await;
                continue;
            }
        };
        for _ in 0..rng.usize(1..=MESSAGES_MAX) {
            let Ok(message) = watcher.next().await else {
                break;
            };
            fold.send_modify(|folded| {
                if let Some(wrong) = folded.take(&message) {
                    journal.violation(format!("{scope:?} was told {wrong}: {message:?}"));
                }
            });
        }
        token = watcher.token;
    }
}

impl Fold for InvitationLists {
    type Message = WatchInvitationsResponse;

    fn client(clients: &Clients) -> crate::Invitations {
        clients.invitations.clone()
    }

    fn take(&mut self, message: &WatchInvitationsResponse) -> Option<String> {
        // One that goes though it was not there is the known limit of a watch that breaks off twice within one catch-up.
        let _ = self.fold(message);
        None
    }

    async fn listed(clients: &Clients, scope: &Scope) -> Result<Option<Self>, Status> {
        let Scope::Member(member) = scope else {
            return Ok(None);
        };
        Self::listed(&clients.invitations, member).await.map(Some)
    }
}

impl Fold for ConnectionList {
    type Message = WatchConnectionsResponse;

    fn client(clients: &Clients) -> crate::Connections {
        clients.connections.clone()
    }

    fn take(&mut self, message: &WatchConnectionsResponse) -> Option<String> {
        let gone = self.fold(message);
        gone.map(|other| format!("that {other}, who was not there, has gone"))
    }

    async fn listed(clients: &Clients, scope: &Scope) -> Result<Option<Self>, Status> {
        let Scope::Member(member) = scope else {
            return Ok(None);
        };
        Self::listed(&clients.connections, member).await.map(Some)
    }
}

/// Every step of every invitation, in order, as a service is told: which, and what happened, by its number in the contract.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AllInvitations(pub Vec<(String, i32)>);

impl Fold for AllInvitations {
    type Message = WatchInvitationsResponse;

    fn client(clients: &Clients) -> crate::Invitations {
        clients.invitations.clone()
    }

    fn take(&mut self, message: &WatchInvitationsResponse) -> Option<String> {
        let Some(Invited::Event(event)) = &message.content else {
            return Some("no event".to_owned());
        };
        self.0.push((event.invitation_id.clone(), event.kind));
        None
    }

    async fn listed(_: &Clients, _: &Scope) -> Result<Option<Self>, Status> {
        Ok(None)
    }
}

/// Who is connected, as a service is told: the pairs, each with the moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AllConnections(pub BTreeMap<(String, String), i64>);

impl Fold for AllConnections {
    type Message = WatchConnectionsResponse;

    fn client(clients: &Clients) -> crate::Connections {
        clients.connections.clone()
    }

    fn take(&mut self, message: &WatchConnectionsResponse) -> Option<String> {
        use acquaint_proto::connection::v1::ConnectionEventKind::Connected as Made;
        let Some(Connected::Event(event)) = &message.content else {
            return Some("no event".to_owned());
        };
        let mut members = event.member_ids.clone();
        members.sort();
        let [low, high] = members.try_into().unwrap();
        let time = event.connect_time.unwrap();
        let millis = time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000;
        let was = self.0.remove(&(low.clone(), high.clone()));
        if event.kind() == Made {
            self.0.insert((low, high), millis);
            was.map(|_| "of a connection twice".to_owned())
        } else {
            was.is_none()
                .then(|| "of the end of a connection that was not there".to_owned())
        }
    }

    async fn listed(_: &Clients, _: &Scope) -> Result<Option<Self>, Status> {
        Ok(None)
    }
}

impl AllInvitations {
    /// What was told and what is stored of it, without those who were erased: they may have been told of or not.
    pub(super) fn told_of(&self, stores: &super::check::Stores) -> (Vec<String>, Vec<String>) {
        let stored = stores.all("select lower(hex(id)), kind - 1 from step order by position");
        let kept: std::collections::BTreeSet<_> =
            stored.iter().map(|row| row.split(' ').next()).collect();
        let told = self.0.iter();
        let told = told.map(|(id, kind)| format!("{} {kind}", id.replace('-', "")));
        let told = told.filter(|row| kept.contains(&row.split(' ').next()));
        (told.collect(), stored.clone())
    }
}

impl AllConnections {
    /// What was told and what is stored of it, without those who were erased.
    pub(super) fn told_of(&self, stores: &super::check::Stores) -> (Vec<String>, Vec<String>) {
        let stored = stores.all(
            "select low, high, connect_time from c.pair where connect_time is not null order by low, high",
        );
        let erased = stores.all("select member from erased");
        let told = self.0.iter();
        let told = told.filter(|((low, high), _)| !erased.contains(low) && !erased.contains(high));
        let told = told.map(|((low, high), time)| format!("{low} {high} {time}"));
        (told.collect(), stored)
    }
}

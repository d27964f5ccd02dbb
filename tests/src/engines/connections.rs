//! Stores of connection-service.

use std::sync::Arc;

use connection_service::{
    domain::policy::Policy,
    store::{
        Store,
        postgres::{MIGRATIONS, PostgresStore, TimeSource},
        sqlite::SqliteStore,
    },
};
use service_kit::{
    clock::Clock,
    environment::{Environment, SystemRandom},
    group_commit::GroupCommitOptions,
    sqlite::SqliteOptions,
};
use tokio::sync::OnceCell;

use super::{Engine, Place, file, once_free};
use crate::rows::{CONNECTION_NAMES, Look};

/// The name of a store's file.
const FILE: &str = "connections.db";

impl Engine {
    /// A new place to keep a store of connection-service in.
    pub async fn place_of_connections(self) -> Place {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        self.place_as(&TEMPLATE, MIGRATIONS).await
    }
}

impl Place {
    /// Opens a store of connection-service, as a process does. On a database several may be open at once.
    pub async fn open_connections(&self, policy: Policy, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        match self {
            Self::File(folder) => {
                let options = file(folder, FILE);
                let open = || {
                    let environment = Environment::system(clock.clone());
                    let group_commit = GroupCommitOptions::default();
                    SqliteStore::open(options.clone(), group_commit, policy, environment)
                };
                Arc::new(once_free(open).await)
            }
            Self::Database { database, options } => {
                let (url, group_commit) = (database.url(), GroupCommitOptions::default());
                let (time, random) = (TimeSource::Given(clock), Arc::new(SystemRandom));
                let opened =
                    PostgresStore::open(url, options, group_commit, policy, time, random).await;
                Arc::new(opened.unwrap())
            }
        }
    }

    /// The file of the store of connection-service that is kept here.
    pub fn file_of_connections(&self) -> SqliteOptions {
        self.file(FILE)
    }

    /// A look at the rows of the store of connection-service that is kept here.
    pub async fn look_at_connections(&self) -> Look {
        self.look(FILE, CONNECTION_NAMES).await
    }
}

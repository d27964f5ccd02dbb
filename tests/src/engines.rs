//! Every engine of invitation-service's store, to run the same test over: a place to keep a store in, and stores opened in it.
//!
//! Deliberately absent: what a test expects of an engine, which is the same for all.

use std::{fmt, sync::Arc};

use invitation_service::{
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
    postgres::{PostgresOptions, migrate},
    sqlite::{OpenError, SqliteOptions, Synchronous},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{
    pair::folder,
    postgres::{PostgresServer, connect},
    wait::eventually,
};

/// An engine, and how its rows lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The embedded store.
    Sqlite,
    /// PostgreSQL, with all rows in one lane.
    Postgres,
    /// PostgreSQL, with rows in several lanes, as a distributed engine wants them.
    PostgresInLanes,
}

impl Engine {
    /// Every engine.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::PostgresInLanes];

    /// A new place to keep a store in.
    pub async fn place(self) -> Place {
        match self {
            Self::Sqlite => Place::File(folder()),
            Self::Postgres | Self::PostgresInLanes => {
                static TEMPLATE: OnceCell<String> = OnceCell::const_new();
                let server = PostgresServer::shared();
                let template = TEMPLATE.get_or_init(|| async {
                    let name = server.database(None).await;
                    let client = connect(server.url(&name)).await;
                    migrate(&client, MIGRATIONS).await.unwrap();
                    name
                });
                let name = server.database(Some(template.await)).await;
                let mut options = postgres_options();
                if self == Self::PostgresInLanes {
                    options.lanes = 5;
                }
                Place::Database {
                    server,
                    name,
                    options,
                }
            }
        }
    }
}

/// The defaults, looking often for what other processes have written.
pub fn postgres_options() -> PostgresOptions {
    PostgresOptions {
        poll: std::time::Duration::from_millis(5),
        readers: 4,
        ..PostgresOptions::default()
    }
}

/// A place to keep a store in. It goes with its store.
pub enum Place {
    /// A folder with the store's file.
    File(TempDir),
    /// A database on a server.
    Database {
        /// The server.
        server: &'static PostgresServer,
        /// The database's name.
        name: String,
        /// How it is used.
        options: PostgresOptions,
    },
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(folder) => write!(f, "{}", folder.path().display()),
            Self::Database { name, .. } => f.write_str(name),
        }
    }
}

impl Place {
    /// Opens the store, as a process does. On a database several may be open at once.
    pub async fn open(&self, policy: Policy, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        match self {
            Self::File(folder) => {
                let mut options = SqliteOptions::new(folder.path().join("invitations.db"));
                options.synchronous = Synchronous::Normal;
                options.readers = 1;
                // A child that another test is just starting has the lock's file for a moment.
                let store = eventually("the file is free", || async {
                    let environment = Environment::system(clock.clone());
                    let group_commit = GroupCommitOptions::default();
                    match SqliteStore::open(
                        options.clone(),
                        group_commit,
                        policy.clone(),
                        environment,
                    ) {
                        Err(OpenError::InUse { .. }) => None,
                        opened => Some(opened.unwrap()),
                    }
                });
                Arc::new(store.await)
            }
            Self::Database { .. } => {
                let time = TimeSource::Given(clock);
                Arc::new(self.open_postgres(policy, time).await)
            }
        }
    }

    /// Opens the store on PostgreSQL.
    pub async fn open_postgres(&self, policy: Policy, time: TimeSource) -> PostgresStore {
        let Self::Database {
            server,
            name,
            options,
        } = self
        else {
            panic!("a file is not a database")
        };
        let group_commit = GroupCommitOptions::default();
        let random = Arc::new(SystemRandom);
        let url = server.url(name);
        PostgresStore::open(url, options, group_commit, policy, time, random)
            .await
            .unwrap()
    }
}

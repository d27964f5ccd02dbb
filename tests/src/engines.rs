//! Every engine of both services' stores, to run the same test over: a place to keep a store in, and stores opened in it.
//!
//! Deliberately absent: what a test expects of an engine, which is the same for all.

mod connections;

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

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
    postgres::{Migration, PostgresOptions, migrate},
    sqlite::{OpenError, SqliteOptions, Synchronous},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{
    pair::folder,
    postgres::{Database, PostgresServer, connect},
    rows::{INVITATION_NAMES, Look, Names},
    wait::eventually,
};

/// The name of a store's file.
const FILE: &str = "invitations.db";

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

    /// A new place to keep a store of invitation-service in.
    pub async fn place(self) -> Place {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        self.place_as(&TEMPLATE, MIGRATIONS).await
    }

    /// A new place for a store with these tables. They are made once, in `template`, and copied.
    async fn place_as(self, template: &OnceCell<String>, migrations: &[Migration]) -> Place {
        let lanes = match self {
            Self::Sqlite => return Place::File(folder()),
            Self::Postgres => 1,
            Self::PostgresInLanes => 5,
        };
        let server = PostgresServer::shared();
        let template = template.get_or_init(|| async {
            let name = server.database(None).await;
            let client = connect(server.url(&name)).await;
            migrate(&client, migrations).await.unwrap();
            name
        });
        Place::Database {
            database: server.lend(template.await).await,
            options: PostgresOptions {
                lanes,
                ..postgres_options()
            },
        }
    }

    /// How many of something that takes long are done: as many as said in a file, fewer on a server, where each command is a commit over the
    /// wire.
    pub fn of(self, in_a_file: u32, on_a_server: u32) -> u32 {
        match self {
            Self::Sqlite => in_a_file,
            Self::Postgres | Self::PostgresInLanes => on_a_server,
        }
    }
}

/// The defaults, looking often for what other processes have written.
pub fn postgres_options() -> PostgresOptions {
    PostgresOptions {
        poll: Duration::from_millis(5),
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
        /// The database.
        database: Database,
        /// How it is used.
        options: PostgresOptions,
    },
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(folder) => write!(f, "{}", folder.path().display()),
            Self::Database { database, .. } => f.write_str(database.name()),
        }
    }
}

impl Place {
    /// The database, where the place is one.
    pub fn database(&self) -> &Database {
        match self {
            Self::File(_) => panic!("a file is not a database"),
            Self::Database { database, .. } => database,
        }
    }

    /// The file of the store of invitation-service that is kept here.
    pub fn file_of_invitations(&self) -> SqliteOptions {
        self.file(FILE)
    }

    fn file(&self, name: &str) -> SqliteOptions {
        match self {
            Self::File(folder) => file(folder, name),
            Self::Database { .. } => panic!("a database is not a file"),
        }
    }

    /// Over how many lanes a new database spreads its rows.
    pub fn lanes(&self) -> u16 {
        match self {
            Self::File(_) => 1,
            Self::Database { options, .. } => options.lanes,
        }
    }

    /// Opens the store, as a process does. On a database several may be open at once.
    pub async fn open(&self, policy: Policy, clock: Arc<dyn Clock>) -> Arc<dyn Store> {
        match self {
            Self::File(folder) => {
                let options = file(folder, FILE);
                let open = || {
                    let environment = Environment::system(clock.clone());
                    let group_commit = GroupCommitOptions::default();
                    SqliteStore::open(options.clone(), group_commit, policy.clone(), environment)
                };
                Arc::new(once_free(open).await)
            }
            Self::Database { .. } => {
                let time = TimeSource::Given(clock);
                Arc::new(self.open_postgres(policy, time).await)
            }
        }
    }

    /// Opens the store on PostgreSQL.
    pub async fn open_postgres(&self, policy: Policy, time: TimeSource) -> PostgresStore {
        let Self::Database { database, options } = self else {
            panic!("a file is not a database")
        };
        let group_commit = GroupCommitOptions::default();
        let random = Arc::new(SystemRandom);
        PostgresStore::open(database.url(), options, group_commit, policy, time, random)
            .await
            .unwrap()
    }

    /// A look at the rows of the store of invitation-service that is kept here.
    pub async fn look_at_invitations(&self) -> Look {
        self.look(FILE, INVITATION_NAMES).await
    }

    /// A look at the rows of the store that is kept here, in a file of this name or with these names.
    async fn look(&self, file: &str, names: Names) -> Look {
        match self {
            Self::File(folder) => Look::at_file(folder.path().join(file)),
            Self::Database { database, .. } => Look::at_database(&database.url(), names).await,
        }
    }
}

/// A file in a folder, for one reader. Nothing here tests the disk.
fn file(folder: &TempDir, name: &str) -> SqliteOptions {
    let path: PathBuf = folder.path().join(name);
    let mut options = SqliteOptions::new(path);
    options.synchronous = Synchronous::Normal;
    options.readers = 1;
    options
}

/// What `open` opens. A child that another test is just starting has the lock's file for a moment.
async fn once_free<S>(open: impl Fn() -> Result<S, OpenError>) -> S {
    eventually("the file is free", || async {
        match open() {
            Err(OpenError::InUse { .. }) => None,
            opened => Some(opened.unwrap_or_else(|error| panic!("{error}"))),
        }
    })
    .await
}

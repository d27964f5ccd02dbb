//! Filled stores: made once for each size and kept under a folder; each run works on copies.
//!
//! Kept ones that this build's stores refuse to open (their tables have changed), or that have grown old, are made anew. Deliberately
//! absent: how a store is filled.

use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use nix::sys::statvfs::statvfs;
use serde::{Deserialize, Serialize};
use service_kit::{
    clock::{Clock as _, SystemClock},
    postgres::{CopyPlan, PostgresOptions, Step, StoreCopy},
    sqlite::SqliteOptions,
    time::{Span, Time},
};
use tokio::time::Instant;

use crate::{
    fill::{CONNECTIONS, INVITATIONS, Stores},
    network::Network,
    postgres::{self, Postgres},
};

/// Changes whenever the network or the way it is filled in does.
const FILLING: u32 = 3;
/// After so long a kept filling is made anew: the services would first have to do what has become due meanwhile.
const KEPT_FOR: Span = Span::days(14);
const STAMP: &str = "filled.json";

/// Where stores lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Each in a file.
    Embedded,
    /// Each in a database on PostgreSQL.
    Postgres,
}

impl Engine {
    /// By whether it is PostgreSQL.
    pub(crate) fn of(postgres: bool) -> Self {
        if postgres {
            Self::Postgres
        } else {
            Self::Embedded
        }
    }

    /// Which stores lie in files.
    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Embedded => &[INVITATIONS, CONNECTIONS],
            Self::Postgres => &[],
        }
    }

    /// By what the tables are known that are not opened to see whether they fit.
    fn tables(self) -> u64 {
        let mut hasher = DefaultHasher::new();
        if self == Self::Postgres {
            let both = [
                invitation_service::store::postgres::MIGRATIONS,
                connection_service::store::postgres::MIGRATIONS,
            ];
            for migration in both.concat() {
                migration.sql.hash(&mut hasher);
            }
        }
        hasher.finish()
    }
}

/// What a filling is known by.
#[derive(Debug, Serialize, Deserialize)]
struct Stamp {
    filling: u32,
    stored: u64,
    #[serde(default)]
    tables: u64,
    /// In milliseconds since the Unix epoch.
    until: i64,
}

/// A folder with both stores, filled.
pub(crate) struct Filled {
    folder: PathBuf,
    engine: Engine,
}

impl Filled {
    /// The filling for `stored` invitations under `root`; made if it is not there or cannot be used.
    pub(crate) async fn get(
        root: &Path,
        stored: u64,
        engine: Engine,
        network: &Network,
    ) -> anyhow::Result<Self> {
        let folder = match engine {
            Engine::Embedded => root.join(format!("filled-{stored}")),
            Engine::Postgres => root.join(format!("filled-postgres-{stored}")),
        };
        let now = SystemClock.now();
        if usable(&folder, stored, engine, now).await {
            return Ok(Self { folder, engine });
        }
        let began = Instant::now();
        let until = match engine {
            Engine::Embedded => fill(root, &folder, stored, network, now).await?,
            Engine::Postgres => Box::pin(move_up(root, &folder, stored, network)).await?,
        };
        let stamp = Stamp {
            filling: FILLING,
            stored,
            tables: engine.tables(),
            until: until.millis(),
        };
        // Last, so that a filling that was broken off is none.
        fs::write(folder.join(STAMP), serde_json::to_vec(&stamp)?)?;
        eprintln!("  filled in {} s", began.elapsed().as_secs());
        Ok(Self { folder, engine })
    }

    /// A copy to work on, in a folder of its own, on the disk.
    pub(crate) fn copy_to(&self, folder: &Path) -> anyhow::Result<()> {
        replace(&self.folder, folder, self.engine)
    }
}

/// Fills embedded stores up to `now`, and puts them into `folder`.
async fn fill(
    root: &Path,
    folder: &Path,
    stored: u64,
    network: &Network,
    now: Time,
) -> anyhow::Result<Time> {
    // In memory where there is room, for the disk has better things to do.
    let memory = Path::new("/dev/shm");
    let in_memory = room(memory) >= room_to_fill(stored);
    let scratch = Scratch::new(if in_memory { memory } else { root })?;
    let began = Instant::now();
    eprintln!("filling stores with {stored} invitations, once");
    let stores = Stores::open(&scratch.0, now)?;
    let filled = stores
        .fill(network, now, |sent| {
            let rate = u128::from(sent) * 1_000 / began.elapsed().as_millis().max(1);
            eprintln!("  {sent} of {} sent, {rate} a second", network.sends());
        })
        .await;
    stores.close().await;
    filled?;
    replace(&scratch.0, folder, Engine::Embedded)?;
    Ok(now)
}

/// Copies the embedded stores into a PostgreSQL, as `copy-store` does, and puts that into `folder`; up to when they are filled.
async fn move_up(
    root: &Path,
    folder: &Path,
    stored: u64,
    network: &Network,
) -> anyhow::Result<Time> {
    let embedded = Filled::get(root, stored, Engine::Embedded, network).await?;
    let scratch = Scratch::new(root)?;
    eprintln!("copying {stored} invitations into PostgreSQL, once");
    let server = Postgres::to_fill(&scratch.0).await?;
    let copy = async |file: &str, database: &str, plan: CopyPlan| {
        let from = SqliteOptions::new(embedded.folder.join(file));
        let options = PostgresOptions::default();
        let copy = StoreCopy::begin(from, server.parsed_url(database)?, &options, plan).await?;
        copy.run(|step| {
            if let Step::Same { table, rows, .. } = step {
                eprintln!("  {table}: {rows} rows");
            }
        })
        .await?;
        anyhow::Ok(())
    };
    let invitations = invitation_service::store::postgres::copy_plan();
    copy(INVITATIONS, postgres::INVITATIONS, invitations).await?;
    let connections = connection_service::store::postgres::copy_plan();
    copy(CONNECTIONS, postgres::CONNECTIONS, connections).await?;
    server.settle().await?;
    server.stop()?;
    replace(&scratch.0, folder, Engine::Postgres)?;
    let stamp = stamp_of(&embedded.folder).context("the embedded stores were just filled")?;
    Ok(Time::from_millis(stamp.until))
}

/// Puts a filling into a folder, in place of what is there.
fn replace(from: &Path, folder: &Path, engine: Engine) -> anyhow::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    copy(from, folder, engine)
}

/// How many bytes can be put into a folder; none into one that is not there.
fn room(folder: &Path) -> u64 {
    statvfs(folder).map_or(0, |found| found.blocks_available() * found.fragment_size())
}

/// More bytes than both embedded stores take with `stored` invitations, their logs included.
fn room_to_fill(stored: u64) -> u64 {
    (256 << 20) + stored * 4_096
}

fn stamp_of(folder: &Path) -> Option<Stamp> {
    let stamp = fs::read(folder.join(STAMP)).ok()?;
    serde_json::from_slice(&stamp).ok()
}

/// Whether there is a filling of today's kind, whose tables are today's.
async fn usable(folder: &Path, stored: u64, engine: Engine, now: Time) -> bool {
    let fits = stamp_of(folder).is_some_and(|stamp| {
        let age = now.since(Time::from_millis(stamp.until));
        stamp.filling == FILLING
            && stamp.stored == stored
            && stamp.tables == engine.tables()
            && age < KEPT_FOR
    });
    if !fits || engine == Engine::Postgres {
        return fits;
    }
    match Stores::open(folder, now) {
        Ok(stores) => {
            stores.close().await;
            true
        }
        Err(error) => {
            eprintln!("the kept stores cannot be used: {error}");
            false
        }
    }
}

/// Makes a folder that everybody can pass through: root's PostgreSQL runs as somebody else.
fn make(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

/// Copies both stores and waits until the disk has them.
fn copy(from: &Path, to: &Path, engine: Engine) -> anyhow::Result<()> {
    make(to)?;
    if engine == Engine::Postgres {
        postgres::copy(from, to)?;
    }
    for name in engine.files() {
        let (from, to) = (from.join(name), to.join(name));
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
        fs::File::open(&to)?.sync_all()?;
    }
    Ok(())
}

/// A folder that goes when it is no longer needed.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    /// A folder of this process under `root`.
    pub(crate) fn new(root: &Path) -> anyhow::Result<Self> {
        let folder = root.join(format!("acquaint-bench-{}", std::process::id()));
        make(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            eprintln!("{} stays: {error}", self.0.display());
        }
    }
}

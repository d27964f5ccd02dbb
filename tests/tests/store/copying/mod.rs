//! Copying an embedded store of either service into a database: whenever it is broken off it goes on where it was, what is not whole is not
//! opened, and what cannot be copied is refused with why.
//!
//! That everything is read the same afterwards is tested in `invitations` and beside connection-service's tests (`connections/copied.rs`).

mod invitations;
mod program;

use std::{fmt::Debug, path::Path, sync::Arc};

use acquaint_tests::{
    engines::{Engine, Place},
    postgres::connect,
    wait::eventually,
};
use service_kit::{
    clock::SystemClock,
    environment::Environment,
    group_commit::GroupCommitOptions,
    postgres::{Client, CopyError, CopyPlan, OpenError, Step, StoreCopy, TimeSource},
    sqlite::{self, SqliteOptions},
};
use tokio_util::sync::CancellationToken;

use crate::connections::copied as connections;

/// The services, and into how many lanes each is copied.
const CASES: [(Service, Engine); 4] = [
    (Service::Invitations, Engine::Postgres),
    (Service::Invitations, Engine::PostgresInLanes),
    (Service::Connections, Engine::Postgres),
    (Service::Connections, Engine::PostgresInLanes),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Invitations,
    Connections,
}

impl Service {
    pub(crate) async fn place(self, engine: Engine) -> Place {
        match self {
            Self::Invitations => engine.place().await,
            Self::Connections => engine.place_of_connections().await,
        }
    }

    fn file(self, place: &Place) -> SqliteOptions {
        match self {
            Self::Invitations => place.file_of_invitations(),
            Self::Connections => place.file_of_connections(),
        }
    }

    fn plan(self) -> CopyPlan {
        match self {
            Self::Invitations => invitation_service::store::postgres::copy_plan(),
            Self::Connections => connection_service::store::postgres::copy_plan(),
        }
    }

    /// A file with something of every kind in it.
    async fn filled(self) -> Place {
        match self {
            Self::Invitations => invitations::filled().await,
            Self::Connections => connections::filled().await,
        }
    }

    /// Opens the file as the service does, and closes it again.
    fn start_on(self, file: &SqliteOptions) -> Result<(), sqlite::OpenError> {
        let environment = Environment::system(Arc::new(SystemClock));
        let options = (file.clone(), GroupCommitOptions::default());
        match self {
            Self::Invitations => {
                use invitation_service::store::sqlite::SqliteStore;
                SqliteStore::open(options.0, options.1, invitations::policy(), environment)
                    .map(drop)
            }
            Self::Connections => {
                use connection_service::store::sqlite::SqliteStore;
                SqliteStore::open(options.0, options.1, connections::policy(), environment)
                    .map(drop)
            }
        }
    }

    /// Opens the database as the service does; why not.
    async fn refused_by(self, to: &Place) -> Option<OpenError> {
        let Place::Database { database, options } = to else {
            panic!("a file is not a database")
        };
        let (url, commit) = (database.url(), GroupCommitOptions::default());
        let (time, random) = (
            TimeSource::Database,
            Arc::new(service_kit::environment::SystemRandom),
        );
        match self {
            Self::Invitations => {
                use invitation_service::store::postgres::PostgresStore;
                let policy = invitations::policy();
                PostgresStore::open(url, options, commit, policy, time, random)
                    .await
                    .err()
            }
            Self::Connections => {
                use connection_service::store::postgres::PostgresStore;
                let policy = connections::policy();
                PostgresStore::open(url, options, commit, policy, time, random)
                    .await
                    .err()
            }
        }
    }
}

async fn begin_with(
    file: SqliteOptions,
    to: &Place,
    service: Service,
) -> Result<StoreCopy, CopyError> {
    let Place::Database { database, options } = to else {
        panic!("a file is not a database")
    };
    StoreCopy::begin(file, database.url(), options, service.plan()).await
}

/// Begins a copy, or goes on with one.
async fn begin(service: Service, from: &Place, to: &Place) -> Result<StoreCopy, CopyError> {
    // A child that another test is just starting has the lock's file for a moment.
    eventually("the file is free", || async {
        match begin_with(service.file(from), to, service).await {
            Err(CopyError::Source(sqlite::OpenError::InUse { .. })) => None,
            begun => Some(begun),
        }
    })
    .await
}

/// Copies the whole store; the tables that were found the same, with their rows.
pub(crate) async fn copy(service: Service, from: &Place, to: &Place) -> Vec<(&'static str, u64)> {
    let mut same = Vec::new();
    let copy = begin(service, from, to)
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    let (rows, before) = copy.rows().unwrap();
    assert!(before <= rows, "{before} of {rows}");
    let (mut copied, mut compared) = (before, 0);
    let run = copy.run(|step| match step {
        Step::Copied { rows, .. } => copied += rows,
        Step::Compared { rows, .. } => compared += rows,
        Step::Same { table, rows, .. } => same.push((table, rows)),
    });
    run.await.unwrap();
    assert_eq!((copied, compared), (rows, rows));
    same
}

/// Copies until so many batches more are in the database, and is broken off; whether it came to its end before.
async fn copy_some(service: Service, from: &Place, to: &Place, batches: usize) -> bool {
    let copy = begin(service, from, to)
        .await
        .unwrap_or_else(|error| panic!("{error:?}"));
    let enough = CancellationToken::new();
    let mut left = batches;
    let run = copy.run(|step| {
        if let Step::Copied { .. } = step {
            left = left.saturating_sub(1);
            if left == 0 {
                enough.cancel();
            }
        }
    });
    tokio::select! {
        biased;
        () = enough.cancelled() => false,
        done = run => {
            done.unwrap();
            true
        }
    }
}

async fn client(place: &Place) -> Client {
    connect(place.database().url()).await
}

/// What a store answers, each with what was asked.
#[derive(Default)]
pub(crate) struct Answers(pub(crate) Vec<String>);

impl Answers {
    pub(crate) fn note(&mut self, asked: impl Debug, answer: impl Debug) {
        self.0.push(format!("{asked:?}: {answer:?}"));
    }
}

/// Compares texts, of which there are many and long ones, and shows where they begin to differ.
pub(crate) fn assert_same(these: &[String], those: &[String], what: impl Debug) {
    for (one, other) in these.iter().zip(those) {
        if one != other {
            let same = one
                .chars()
                .zip(other.chars())
                .take_while(|(one, other)| one == other)
                .count();
            let from = |text: &str| -> String {
                text.chars()
                    .skip(same.saturating_sub(300))
                    .take(600)
                    .collect()
            };
            panic!("{what:?}:\n{}\n{}", from(one), from(other));
        }
    }
    assert_eq!(these.len(), those.len(), "{what:?}");
}

/// What a copy is refused for.
async fn refusal(service: Service, from: &Place, to: &Place) -> CopyError {
    begin(service, from, to)
        .await
        .err()
        .expect("it was refused")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_was_broken_off_goes_on_where_it_was() {
    for (service, engine) in CASES {
        let (from, to) = (service.filled().await, service.place(engine).await);
        let mut runs = 1;
        while !copy_some(service, &from, &to, 1).await {
            runs += 1;
            let refused = service.refused_by(&to).await;
            assert!(
                matches!(refused, Some(OpenError::Unfinished)),
                "{refused:?}"
            );
        }
        assert!(runs > 8, "{service:?}: {runs}");
        let refused = service.refused_by(&to).await;
        assert!(refused.is_none(), "{service:?}: {refused:?}");
        let again = refusal(service, &from, &to).await;
        assert!(matches!(again, CopyError::Finished), "{again}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_with_something_in_it_is_refused() {
    for (service, engine) in CASES {
        let from = service.filled().await;
        let used = service.place(engine).await;
        assert!(service.refused_by(&used).await.is_none());
        let refused = refusal(service, &from, &used).await;
        assert!(
            matches!(refused, CopyError::NotEmpty { table: "head" }),
            "{refused}"
        );
        let begun = service.place(engine).await;
        let erased = match service {
            Service::Invitations => "insert into erased (lane, member_hash) values (0, 'x')",
            Service::Connections => "insert into erased (lane, hash, position) values (0, 'x', 1)",
        };
        client(&begun).await.batch_execute(erased).await.unwrap();
        let refused = refusal(service, &from, &begun).await;
        assert!(
            matches!(refused, CopyError::NotEmpty { table: "erased" }),
            "{refused}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unfinished_copy_takes_no_other_store_and_not_what_became_of_its_own() {
    for (service, engine) in CASES {
        let (from, other) = (service.filled().await, service.filled().await);
        let to = service.place(engine).await;
        assert!(!copy_some(service, &from, &to, 2).await);
        let refused = refusal(service, &other, &to).await;
        assert!(matches!(refused, CopyError::OtherSource), "{refused}");
        let file = service.file(&from);
        eventually("a service has run on the file", || async {
            service.start_on(&file).ok()
        })
        .await;
        let refused = refusal(service, &from, &to).await;
        assert!(matches!(refused, CopyError::OtherSource), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_belongs_to_a_service_or_to_its_copy() {
    for service in [Service::Invitations, Service::Connections] {
        let (from, to) = (
            service.filled().await,
            service.place(Engine::Postgres).await,
        );
        let file = service.file(&from);
        let begun = begin(service, &from, &to)
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        let in_use = |error: Option<sqlite::OpenError>| matches!(error, Some(sqlite::OpenError::InUse { path }) if path == file.path);
        assert!(in_use(service.start_on(&file).err()));
        let Some(CopyError::Source(second)) = begin_with(file.clone(), &to, service).await.err()
        else {
            panic!("two copies of one file")
        };
        assert!(in_use(Some(second)));
        drop(begun);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_store_is_neither_copied_nor_changed() {
    for service in [Service::Invitations, Service::Connections] {
        let to = service.place(Engine::Postgres).await;
        let folder = acquaint_tests::pair::folder();
        let (missing, text) = (
            folder.path().join("missing.db"),
            folder.path().join("text.db"),
        );
        std::fs::write(
            &text,
            "not a database, but long enough to be taken for the header of one",
        )
        .unwrap();
        let other = match service {
            Service::Invitations => Service::Connections,
            Service::Connections => Service::Invitations,
        };
        let place_of_other = other.filled().await;
        let of_other = other.file(&place_of_other).path;
        let refused = async |path: &Path| {
            let begun = begin_with(SqliteOptions::new(path), &to, service).await;
            begun.err().expect("it was refused")
        };
        let error = refused(&missing).await;
        assert!(
            matches!(&error, CopyError::Missing(path) if *path == missing),
            "{error}"
        );
        assert!(!missing.exists(), "nothing was made");
        let error = refused(&text).await;
        assert!(matches!(error, CopyError::Source(_)), "{error}");
        let error = refused(&of_other).await;
        assert!(matches!(error, CopyError::Source(_)), "{error}");
        // None of them has begun anything.
        assert!(service.refused_by(&to).await.is_none());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_differs_in_the_end_leaves_the_copy_unfinished() {
    for (service, engine) in CASES {
        let (from, to) = (service.filled().await, service.place(engine).await);
        // Members come first.
        assert!(!copy_some(service, &from, &to, 2).await);
        let change = "update member set last_event = last_event + 2";
        let change = match service {
            Service::Invitations => change.to_owned(),
            Service::Connections => change.replace("event", "fact"),
        };
        client(&to).await.batch_execute(&change).await.unwrap();
        let copy = begin(service, &from, &to)
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        let differs = copy.run(|_| {}).await.unwrap_err();
        let CopyError::Differs {
            table,
            file,
            database,
        } = differs
        else {
            panic!("{differs}")
        };
        assert_eq!((table, file.rows), ("member", database.rows));
        let refused = service.refused_by(&to).await;
        assert!(
            matches!(refused, Some(OpenError::Unfinished)),
            "{refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_makes_no_sense_is_named() {
    for service in [Service::Invitations, Service::Connections] {
        let (from, to) = (
            service.filled().await,
            service.place(Engine::Postgres).await,
        );
        let (spoil, expected) = match service {
            Service::Invitations => (
                "update of_member set c9 = 70000 where kind = -1",
                ("member", "who_can_invite"),
            ),
            Service::Connections => (
                "update of_member set c2 = 'text' where kind = 1",
                ("pair", "invitation_id"),
            ),
        };
        let file = rusqlite::Connection::open(service.file(&from).path).unwrap();
        assert!(file.execute(spoil, []).unwrap() > 0);
        drop(file);
        let copy = begin(service, &from, &to)
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        let error = copy.run(|_| {}).await.unwrap_err();
        let CopyError::Malformed { table, column } = error else {
            panic!("{error}")
        };
        assert_eq!((table, column), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_and_a_copy_do_not_both_take_an_empty_database() {
    for (service, engine) in CASES {
        let from = service.filled().await;
        let (mut copies, mut services) = (0, 0);
        for _ in 0..6 {
            let to = service.place(engine).await;
            let (begun, refused) =
                tokio::join!(begin(service, &from, &to), service.refused_by(&to));
            match (begun, refused) {
                (Ok(_), Some(OpenError::Unfinished)) => copies += 1,
                (Err(CopyError::NotEmpty { table: "head" }), None) => services += 1,
                (begun, refused) => panic!("{:?}, {refused:?}", begun.err()),
            }
        }
        assert_eq!(copies + services, 6, "{copies} copies, {services} services");
    }
}

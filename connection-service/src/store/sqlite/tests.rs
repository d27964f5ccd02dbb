//! What is this engine's alone: its file, and how it reads. What every engine does is tested in the workspace's tests.

use std::sync::Arc;

use rusqlite::Connection;
use service_kit::clock::ManualClock;
use service_kit::environment::Environment;
use service_kit::group_commit::GroupCommitOptions;
use service_kit::sqlite::{OpenError, SqliteOptions};
use service_kit::time::Time;
use tempfile::TempDir;

use super::SqliteStore;
use super::labels::LABELLED;
use super::lists::count_sql;
use super::reads::CONNECTIONS;
use crate::domain::policy::Policy;
use crate::store::Store as _;

fn open(folder: &TempDir) -> Result<SqliteStore, OpenError> {
    let clock = ManualClock::new(Time::from_millis(1_000_000));
    SqliteStore::open(
        SqliteOptions::new(folder.path().join("connections.db")),
        GroupCommitOptions::default(),
        Policy::default(),
        Environment::system(Arc::new(clock)),
    )
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&folder).unwrap();
    assert!(matches!(open(&folder), Err(OpenError::InUse { .. })));
    first.close().await;
    assert!(open(&folder).is_ok());
}

#[tokio::test]
async fn a_page_between_two_times_is_a_range_of_what_lies_there() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(&folder).unwrap();
    let file = Connection::open(folder.path().join("connections.db")).unwrap();
    let plan = |sql: &str| {
        let sql = format!("explain query plan {sql}");
        let mut statement = file.prepare(&sql).unwrap();
        let count = statement.parameter_count();
        let values = vec![1; count];
        let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
            row.get::<_, String>(3)
        });
        rows.unwrap()
            .map(Result::unwrap)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let (time, place) = ("time>? AND (", "<(?,?))");
    for sql in [CONNECTIONS, LABELLED] {
        let plan = plan(sql);
        assert!(plan.contains(time) && plan.contains(place), "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP"), "{plan}");
    }
    for with_label in [false, true] {
        let plan = plan(&count_sql(with_label));
        assert!(
            plan.contains("time>? AND") && plan.contains("time<?)"),
            "{plan}"
        );
    }
}

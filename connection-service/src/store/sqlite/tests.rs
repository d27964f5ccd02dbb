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
use super::reads::{CONNECTIONS, OLDEST_VERDICT};
use super::rows::OLDEST_VERDICTS;
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

/// How the engine would run a statement on a new file.
fn plan_of(folder: &TempDir, sql: &str) -> String {
    let file = Connection::open(folder.path().join("connections.db")).unwrap();
    let mut statement = file.prepare(&format!("explain query plan {sql}")).unwrap();
    let values = vec![1; statement.parameter_count()];
    let rows = statement.query_map(rusqlite::params_from_iter(values), |row| {
        row.get::<_, String>(3)
    });
    rows.unwrap()
        .map(Result::unwrap)
        .collect::<Vec<_>>()
        .join("; ")
}

#[tokio::test]
async fn a_page_between_two_times_is_a_range_of_what_lies_there() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(&folder).unwrap();
    let (time, place) = ("time>? AND (", "<(?,?))");
    for sql in [CONNECTIONS, LABELLED] {
        let plan = plan_of(&folder, sql);
        assert!(plan.contains(time) && plan.contains(place), "{plan}");
        assert!(!plan.contains("SCAN") && !plan.contains("TEMP"), "{plan}");
    }
    for with_label in [false, true] {
        let plan = plan_of(&folder, &count_sql(with_label));
        assert!(
            plan.contains("time>? AND") && plan.contains("time<?)"),
            "{plan}"
        );
    }
}

#[tokio::test]
async fn the_oldest_verdicts_are_found_without_looking_at_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let _store = open(&folder).unwrap();
    for sql in [OLDEST_VERDICT, OLDEST_VERDICTS] {
        let plan = plan_of(&folder, sql);
        assert!(plan.contains("INDEX verdict_by_age"), "{plan}");
        assert!(!plan.contains("TEMP"), "{plan}");
    }
}

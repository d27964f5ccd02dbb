//! Tests of the file, its readers and its log, each in a folder of its own.

use futures::FutureExt as _;
use rusqlite::wal::CheckpointMode;
use tempfile::TempDir;

use super::*;

struct Fixture {
    file: SqliteFile,
    folder: TempDir,
}

fn options(folder: &TempDir) -> SqliteOptions {
    // Not synchronous: these tests are not about the disk.
    SqliteOptions {
        synchronous: Synchronous::Normal,
        cache_mebibytes: 1,
        ..SqliteOptions::new(folder.path().join("deep/er/store.db"))
    }
}

fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    Fixture {
        file: SqliteFile::open(options(&folder)).unwrap(),
        folder,
    }
}

fn count(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn
        .prepare_cached("select count(*) from t")?
        .query_row([], |row| row.get(0))?)
}

fn with_table(file: &SqliteFile) -> Connection {
    let conn = file.writer().unwrap();
    conn.execute_batch("create table t (x blob)").unwrap();
    conn
}

fn log_bytes(file: &SqliteFile) -> u64 {
    let mut path = file.path().as_os_str().to_owned();
    path.push("-wal");
    std::fs::metadata(path).map_or(0, |log| log.len())
}

#[test]
fn database_urls_name_a_file() {
    for (url, path) in [
        ("sqlite:a.db", "a.db"),
        ("sqlite:/var/a b", "/var/a b"),
        ("sqlite:./x?y", "./x?y"),
    ] {
        assert_eq!(parse_database_url(url), Ok(PathBuf::from(path)), "{url}");
    }
    for bad in [
        "",
        "a.db",
        "sqlite:",
        "sqlite::memory:",
        "sqlite://a/b",
        "postgres:a",
        "SQLITE:a",
    ] {
        assert_eq!(parse_database_url(bad), Err(MalformedDatabaseUrl), "{bad}");
    }
}

#[test]
fn a_store_is_one_process_s_at_a_time() {
    let Fixture { file, folder } = fixture();
    let refused = SqliteFile::open(options(&folder)).unwrap_err();
    let OpenError::InUse { path } = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!(path, file.path());
    assert!(refused.to_string().contains("store.db"));
    drop(file);
    SqliteFile::open(options(&folder)).unwrap();
}

#[test]
fn what_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, vec![b'x'; 4_096]).unwrap();
    assert!(matches!(
        SqliteFile::open(SqliteOptions::new(&path)),
        Err(OpenError::Sqlite(_))
    ));
    let under_a_file = SqliteFile::open(SqliteOptions::new(path.join("y")));
    assert!(matches!(under_a_file, Err(OpenError::File { .. })));
    let uri = folder.path().join("file:z?mode=memory");
    assert_eq!(
        SqliteFile::open(SqliteOptions::new(&uri)).unwrap().path(),
        uri
    );
    assert!(uri.exists());
}

#[test]
fn connections_are_set_up_as_said() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    let asked = |conn: &Connection, pragma: &str| -> String {
        conn.query_row(
            &format!("select cast({pragma} as text) from pragma_{pragma}"),
            [],
            |row| row.get(0),
        )
        .unwrap()
    };
    let writer = with_table(&file);
    for (pragma, value) in [
        ("journal_mode", "wal"),
        ("synchronous", "1"),
        ("secure_delete", "1"),
        ("temp_store", "2"),
        ("cache_size", "-1024"),
        ("page_size", "8192"),
    ] {
        assert_eq!(asked(&writer, pragma), value, "{pragma}");
    }
    let automatic: i64 = writer
        .query_row("pragma wal_autocheckpoint", [], |row| row.get(0))
        .unwrap();
    assert_eq!(automatic, 0);
    let reader = file.reader().unwrap();
    assert!(reader.execute("insert into t values (1)", []).is_err());
}

#[tokio::test]
async fn a_read_sees_one_moment() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    let writer = with_table(&file);
    for executor in [Executor::Threads, Executor::Inline] {
        let readers = file.readers(executor).unwrap();
        let before = count(&writer).unwrap();
        let path = file.path().to_owned();
        let seen = readers.read(move |conn| {
            let first = count(conn)?;
            Connection::open(path)?.execute("insert into t values (1)", [])?;
            Ok((first, count(conn)?))
        });
        assert_eq!(seen.await, Ok((before, before)));
        assert_eq!(
            readers.read(count).await,
            Ok(before + 1),
            "the next read is of a later moment"
        );
    }
}

/// A read that is under way, and holds its reader until the sender is dropped.
async fn hold(
    readers: &Readers,
) -> (
    impl Future<Output = Result<(), StoreError>> + Unpin,
    std::sync::mpsc::Sender<()>,
) {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begun, running) = tokio::sync::oneshot::channel();
    let mut holding = Box::pin(readers.read(move |_| {
        begun.send(()).unwrap();
        let _ = held.recv();
        Ok(())
    }));
    assert!((&mut holding).now_or_never().is_none());
    running.await.unwrap();
    (holding, release)
}

#[test]
fn reads_outlive_the_runtime_that_they_began_in() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    with_table(&file);
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.build().unwrap()
    };
    let readers = runtime().block_on(async { file.readers(Executor::Threads).unwrap() });
    runtime().block_on(async {
        // So often that some of them meet a reader that sleeps.
        for _ in 0..200 {
            assert_eq!(readers.read(count).await, Ok(0));
        }
    });
}

#[tokio::test]
async fn reads_that_wait_together_see_one_moment() {
    let Fixture {
        mut file,
        folder: _folder,
    } = fixture();
    let writer = with_table(&file);
    file.options.readers = 1;
    let readers = file.readers(Executor::Threads).unwrap();
    let (holding, release) = hold(&readers).await;
    let path = file.path().to_owned();
    let writing = readers.read(move |conn| {
        let before = count(conn)?;
        Connection::open(path)?.execute("insert into t values (1)", [])?;
        Ok(before)
    });
    let failing = readers.read::<()>(|_| panic!("a mistake in a read"));
    let reads = futures::future::join4(holding, writing, failing, readers.read(count));
    let mut reads = Box::pin(reads);
    assert!((&mut reads).now_or_never().is_none());
    drop(release);
    let (_, before, burst, after) = reads.await;
    assert_eq!((before, after), (Ok(0), Ok(0)));
    assert!(matches!(burst, Err(StoreError::Internal(_))));
    assert_eq!(count(&writer), Ok(1));
}

#[tokio::test]
async fn a_read_that_fails_or_panics_leaves_the_reader_whole() {
    let Fixture {
        mut file,
        folder: _folder,
    } = fixture();
    with_table(&file);
    file.options.readers = 1;
    for executor in [Executor::Threads, Executor::Inline] {
        let readers = file.readers(executor).unwrap();
        let failed = readers
            .read(|conn| Ok(conn.execute("insert into t values (1)", [])?))
            .await;
        assert!(
            matches!(failed, Err(StoreError::Unavailable(_))),
            "{failed:?}"
        );
        let burst = readers.read::<()>(|_| panic!("a mistake in a read")).await;
        assert!(matches!(burst, Err(StoreError::Internal(_))));
        assert_eq!(readers.read(count).await, Ok(0));
    }
}

#[tokio::test]
async fn readers_that_were_closed_have_answered_and_leave_the_store_alone() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    with_table(&file);
    let log = file.path().with_extension("db-wal");
    for round in 0..20 {
        let readers = file.readers(Executor::Threads).unwrap();
        let writer = file.writer().unwrap();
        writer.execute("insert into t values (1)", []).unwrap();
        let waiting = {
            let readers = readers.clone();
            tokio::spawn(async move { readers.read(count).await })
        };
        assert_eq!(readers.read(count).await, Ok(round + 1));
        readers.close().await;
        // It waited, or came too late.
        let answered = waiting.await.unwrap();
        let late = matches!(answered, Err(StoreError::Unavailable(_)));
        assert!(late || answered == Ok(round + 1), "{answered:?}");
        let late = readers.read(count).await;
        assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
        assert!(log.exists());
        drop(writer);
        assert!(
            !log.exists(),
            "whoever closes the store last takes the log away"
        );
    }
}

#[tokio::test]
async fn a_full_queue_of_reads_is_said_at_once_and_nobody_reads_for_those_who_left() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    with_table(&file);
    let readers = Readers::spawn(
        vec![file.reader().unwrap()],
        2,
        file.metrics().readers.clone(),
    )
    .unwrap();
    let (holding, release) = hold(&readers).await;
    let left = readers.read::<()>(|_| panic!("read for nobody"));
    assert!(left.now_or_never().is_none());
    let mut waiting = Box::pin(readers.read(count));
    assert!((&mut waiting).now_or_never().is_none());
    assert_eq!(
        readers.read(count).now_or_never(),
        Some(Err(StoreError::Overloaded))
    );
    drop(release);
    assert_eq!(holding.await, Ok(()));
    assert_eq!(waiting.await, Ok(0));
}

#[test]
fn the_log_starts_anew_while_writing_and_is_emptied_at_the_end() {
    let Fixture { file, folder } = fixture();
    let mut writer = with_table(&file);
    let checkpointer = Checkpointer::spawn(
        file.writer().unwrap(),
        file.metrics().checkpoints.clone(),
        4_096,
    )
    .unwrap();
    // Longer than any bound before it is looked at for the first time.
    for _ in 0..70 {
        writer
            .execute("insert into t values (zeroblob(1048576))", [])
            .unwrap();
    }
    let frames = |conn: &Connection| {
        conn.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), CheckpointMode::NOOP)
            .unwrap()
            .0
    };
    assert!(frames(&writer) > 8_192);
    checkpointer.watch(&mut writer).unwrap();
    // Goes on writing, as the log starts anew with a write.
    let mut tries = 0;
    while frames(&writer) > 8_192 {
        writer.execute("insert into t values (null)", []).unwrap();
        std::thread::yield_now();
        tries += 1;
        assert!(tries < 1_000_000, "the log never started anew");
    }
    let rows = count(&writer);
    assert!(log_bytes(&file) > 0);
    drop(checkpointer);
    assert_eq!(
        log_bytes(&file),
        0,
        "emptied, though the writer is still open"
    );
    drop((writer, file));
    let again = SqliteFile::open(options(&folder)).unwrap();
    assert_eq!(count(&again.writer().unwrap()), rows);
}

#[test]
fn what_is_deleted_is_no_longer_in_the_file() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    let conn = with_table(&file);
    let bytes = || {
        conn.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), CheckpointMode::TRUNCATE)
            .unwrap();
        assert_eq!(log_bytes(&file), 0);
        std::fs::read(file.path()).unwrap()
    };
    let found = |text: &str| {
        let bytes = bytes();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    // One in a page with others, one changed in place, one over pages of its own.
    let long = "a long confession, ".repeat(1_000);
    let texts = ["a short confession", "a confession to change", &long];
    for text in texts.into_iter().chain(["what stays"]) {
        conn.execute("insert into t values (?1)", [text]).unwrap();
    }
    let parts = [texts[0], texts[1], "a long confession"];
    assert!(parts.into_iter().all(found));
    conn.execute("delete from t where x in (?1, ?2)", [texts[0], texts[2]])
        .unwrap();
    conn.execute("update t set x = 'changed' where x = ?1", [texts[1]])
        .unwrap();
    assert!(found("what stays") && found("changed"));
    for gone in parts {
        assert!(!found(gone), "{gone}");
    }
}

//! Tests of the file, its readers, its log and its migrations, each in a folder of its own.

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
        ("temp_store", "2"),
        ("cache_size", "-1024"),
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

#[test]
fn a_transaction_is_all_or_nothing() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    let mut conn = with_table(&file);
    let insert = |conn: &Connection| {
        conn.execute("insert into t values (1)", [])
            .map_err(StoreError::from)
    };
    assert_eq!(in_transaction(&mut conn, insert), Ok(1));
    let failed: Result<(), _> = in_transaction(&mut conn, |conn| {
        insert(conn)?;
        Err(StoreError::Overloaded)
    });
    assert_eq!(failed, Err(StoreError::Overloaded));
    assert_eq!(count(&conn), Ok(1));
}

#[tokio::test]
async fn a_read_sees_one_moment() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    let writer = with_table(&file);
    for readers in [file.readers().unwrap(), file.readers_inline().unwrap()] {
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

#[tokio::test]
async fn a_read_that_fails_or_panics_leaves_the_reader_whole() {
    let Fixture {
        mut file,
        folder: _folder,
    } = fixture();
    with_table(&file);
    file.options.readers = 1;
    for readers in [file.readers().unwrap(), file.readers_inline().unwrap()] {
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
async fn a_full_queue_of_reads_is_said_at_once_and_nobody_reads_for_those_who_left() {
    let Fixture {
        file,
        folder: _folder,
    } = fixture();
    with_table(&file);
    let readers = Readers::spawn(vec![file.reader().unwrap()], 2).unwrap();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (begun, running) = tokio::sync::oneshot::channel();
    let mut holding = Box::pin(readers.read(move |_| {
        begun.send(()).unwrap();
        let _ = held.recv();
        Ok(())
    }));
    assert!((&mut holding).now_or_never().is_none());
    running.await.unwrap();
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
    let checkpointer = file.checkpointer().unwrap();
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
    assert!(frames(&writer) > 16_384);
    checkpointer.watch(&mut writer).unwrap();
    // Goes on writing, as the log starts anew with a write.
    let mut tries = 0;
    while frames(&writer) > 16_384 {
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

const FIRST: (&str, &str) = (
    "0001_first",
    "create table a (x); insert into a values (1);",
);
const SECOND: (&str, &str) = ("0002_second", "create table b (x);");

#[test]
fn migrations_are_applied_once_and_in_order() {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate(&mut conn, &[FIRST]).unwrap();
    migrate(&mut conn, &[FIRST]).unwrap();
    migrate(&mut conn, &[FIRST, SECOND]).unwrap();
    let rows: i64 = conn
        .query_row("select count(*) from a", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 1);
    conn.execute("insert into b values (1)", []).unwrap();
}

#[test]
fn migrations_that_do_not_fit_change_nothing() {
    let mut conn = Connection::open_in_memory().unwrap();
    migrate(&mut conn, &[FIRST, SECOND]).unwrap();
    let changed = [FIRST, ("0002_second", "create table c (x);")];
    for other in [
        &changed[..],
        &[SECOND, FIRST],
        &[("0001_other", FIRST.1), SECOND],
    ] {
        let refused = migrate(&mut conn, other);
        assert!(
            matches!(refused, Err(OpenError::ChangedMigration { .. })),
            "{refused:?}"
        );
    }
    let Err(OpenError::UnknownMigration { name }) = migrate(&mut conn, &[FIRST]) else {
        panic!("an older program ran on a newer store")
    };
    assert_eq!(name, SECOND.0);
    let third = ("0003_third", "create table d (x); create table d (x);");
    assert!(matches!(
        migrate(&mut conn, &[FIRST, SECOND, third]),
        Err(OpenError::Sqlite(_))
    ));
    assert!(
        conn.execute("insert into d values (1)", []).is_err(),
        "rolled back as a whole"
    );
    migrate(&mut conn, &[FIRST, SECOND]).unwrap();
}

//! `copy-store`, as an operator runs it.

use std::{path::Path, process::Stdio};

use acquaint_tests::{
    engines::{Engine, Place},
    wait::eventually,
};
use tokio::process::{Child, Command};

use super::{Service, client};

/// What a run came to: its status, and what it said on either stream.
#[derive(Debug)]
struct Ran {
    status: Option<i32>,
    said: String,
    complained: String,
}

fn begin(service: Service, url: &str, file: &Path) -> Child {
    let program = match service {
        Service::Invitations => env!("CARGO_BIN_EXE_invitation-service-under-test"),
        Service::Connections => env!("CARGO_BIN_EXE_connection-service-under-test"),
    };
    let mut command = Command::new(program);
    command.env_clear().env("ACQUAINT_DATABASE_URL", url);
    command.arg("copy-store").arg("--from").arg(file);
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.kill_on_drop(true).spawn().unwrap()
}

async fn run(service: Service, url: &str, file: &Path) -> Ran {
    let output = begin(service, url, file).wait_with_output().await.unwrap();
    Ran {
        status: output.status.code(),
        said: String::from_utf8(output.stdout).unwrap(),
        complained: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn places(service: Service) -> (Place, Place) {
    (
        service.filled().await,
        service.place(Engine::Postgres).await,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_what_it_has_compared_and_where_it_has_copied() {
    for service in [Service::Invitations, Service::Connections] {
        let (from, to) = places(service).await;
        let (file, url) = (service.file(&from).path, to.database().url_text());
        let ran = run(service, &url, &file).await;
        assert_eq!(
            (ran.status, ran.complained.as_str()),
            (Some(0), ""),
            "{ran:?}"
        );
        let tables = service.plan().tables.len() + 1;
        let same = ran
            .said
            .lines()
            .filter(|line| line.contains(", the same on both sides, "));
        assert_eq!(same.count(), tables, "{ran:?}");
        let last = ran.said.lines().last().unwrap();
        assert!(
            last.starts_with(&format!("copied {} to postgres://", file.display())),
            "{last}"
        );
        assert!(service.refused_by(&to).await.is_none());
        // What is there stays.
        let again = run(service, &url, &file).await;
        assert_eq!(
            (again.status, again.said.as_str()),
            (Some(1), ""),
            "{again:?}"
        );
        assert!(
            again.complained.contains("holds this store already"),
            "{again:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_says_why_it_copies_nothing() {
    let service = Service::Connections;
    let (from, to) = places(service).await;
    let (file, url) = (service.file(&from).path, to.database().url_text());
    let nowhere = run(service, "sqlite:other.db", &file).await;
    assert_eq!(nowhere.status, Some(1));
    assert!(
        nowhere.complained.contains("database.url must name"),
        "{nowhere:?}"
    );
    let missing = run(service, &url, Path::new("/nowhere/connections.db")).await;
    assert_eq!(missing.status, Some(1));
    assert!(
        missing
            .complained
            .contains("there is no store in /nowhere/connections.db"),
        "{missing:?}"
    );
    let used = from
        .open_connections(
            crate::connections::copied::policy(),
            std::sync::Arc::new(service_kit::clock::SystemClock),
        )
        .await;
    let in_use = run(service, &url, &file).await;
    assert_eq!(in_use.status, Some(1));
    let why = format!("{} is in use by another process", file.display());
    assert!(in_use.complained.contains(&why), "{in_use:?}");
    used.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_in_the_middle_it_goes_on_where_it_was() {
    let service = Service::Connections;
    let (from, to) = places(service).await;
    let (file, url) = (service.file(&from).path, to.database().url_text());
    // Pairs are copied, and the feed is not until this has ended.
    let holding = client(&to).await;
    holding
        .batch_execute("begin; lock table fact in share mode")
        .await
        .unwrap();
    let mut child = begin(service, &url, &file);
    let looking = client(&to).await;
    let copied = "select 1 from unfinished_copy where table_name = 'fact'";
    eventually("the copy is at the feed", || async {
        let rows = looking.query(copied, &[]).await.unwrap();
        (!rows.is_empty()).then_some(())
    })
    .await;
    child.kill().await.unwrap();
    holding.batch_execute("rollback").await.unwrap();
    let count = async |table: &str| -> i64 {
        let sql = format!("select count(*) from {table}");
        looking.query_one(&sql, &[]).await.unwrap().get(0)
    };
    assert!(count("pair").await > 4_000);
    assert_eq!((count("fact").await, count("head").await), (0, 0));
    let ran = run(service, &url, &file).await;
    assert_eq!(ran.status, Some(0), "{ran:?}");
    assert!(count("fact").await > 4_000);
    assert_eq!(
        (count("unfinished_copy").await, count("head").await),
        (0, 1)
    );
}

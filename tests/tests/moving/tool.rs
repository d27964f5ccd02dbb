//! `connection-service import`, as an operator runs it.

use std::{path::Path, process::Stdio};

use acquaint_tests::pair::{Pair, Setup, folder};
use service_kit::auth::Role;
use tokio::{io::AsyncWriteExt as _, process::Command};

/// What a run came to: its status, and what it said on either stream.
#[derive(Debug)]
struct Ran {
    status: i32,
    said: String,
    complained: String,
}

async fn import(arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_connection-service-under-test"))
        .env_clear()
        .arg("import")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A run that does not read its input has none.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.unwrap();
    Ran {
        status: output.status.code().unwrap(),
        said: String::from_utf8(output.stdout).unwrap(),
        complained: String::from_utf8(output.stderr).unwrap(),
    }
}

fn write(path: &Path, text: &str) -> String {
    std::fs::write(path, text).unwrap();
    path.display().to_string()
}

const FILE: &str = "member_id,other_id,connect_time\r\nann,bob,2023-01-02T03:04:05Z\r\nann,cyd,2023-01-03\r\nann,ann,0\r\nann,dan,soon\r\nb b,dan,0\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_moved_in_through_the_service_that_runs() {
    let pair = Pair::start().await;
    let folder = folder();
    let file = write(&folder.path().join("network.csv"), FILE);
    let url = format!("http://{}", pair.connection_address());
    let refused = "  malformed id: 1 (row 5)\n  malformed time: 1 (row 4)\n  self: 1 (row 3)\n";

    let checked = import(&[&file, "--check"], "").await;
    assert_eq!(
        checked.said,
        format!("5 rows: 2 well-formed, 3 refused\n{refused}")
    );
    assert_eq!(pair.connected("ann").await, Vec::<String>::new());

    let first = import(&[&file, "--to", &url], "").await;
    assert_eq!(
        first.said,
        format!("5 rows: 2 created, 3 refused\n{refused}"),
        "{first:?}"
    );
    assert_eq!(first.status, 3, "{first:?}");
    assert_eq!(pair.connected("ann").await, ["cyd", "bob"]);

    let good = "bob,cyd,1\nann,bob,2\n";
    let second = import(&["-", "--to", &url], good).await;
    assert_eq!(
        second.said,
        "2 rows: 1 created, 1 there already, 0 refused\n"
    );
    assert_eq!(second.status, 0, "{second:?}");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_service_or_a_file_it_says_what_is_missing() {
    let folder = folder();
    let file = write(&folder.path().join("network.csv"), FILE);
    // Nobody listens on the port of a socket that is not listened on.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", port.local_addr().unwrap());
    drop(port);
    let away = import(&[&file, "--to", &url], "").await;
    assert_eq!(away.status, 1);
    assert!(away.complained.contains("which must run"), "{away:?}");
    let missing = import(&["nowhere.csv"], "").await;
    assert_eq!(missing.status, 1);
    assert!(missing.complained.contains("nowhere.csv"), "{missing:?}");
    assert_eq!(import(&[], "").await.status, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_operators_token_is_good_for_it() {
    let setup = Setup {
        credentials: true,
        ..Setup::default()
    };
    let pair = Pair::with(setup).await;
    let folder = folder();
    let file = write(&folder.path().join("network.csv"), "ann,bob,1\n");
    let url = format!("http://{}", pair.connection_address());
    let none = import(&[&file, "--to", &url], "").await;
    assert_eq!(none.status, 1);
    assert!(none.complained.contains("Unauthenticated"), "{none:?}");
    for (role, status) in [(Role::App, 1), (Role::Operator, 0)] {
        let token = write(&folder.path().join("token"), pair.credentials.token(role));
        let ran = import(&[&file, "--to", &url, "--token-file", &token], "").await;
        assert_eq!(ran.status, status, "{ran:?}");
        assert!(!format!("{ran:?}").contains(pair.credentials.token(role)));
    }
    pair.stop().await;
}

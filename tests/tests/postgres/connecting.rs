//! Reaching the server: with a password, by TLS, one of several hosts; and how it is told that it cannot be reached.

use std::{fs, time::Duration};

use acquaint_tests::{
    postgres::{Ending, PostgresServer, connect, try_connect},
    scrape::free_address,
};
use service_kit::postgres::{Connector, Failure, PostgresOptions, PostgresUrl, SetupError};

fn is_away<T: std::fmt::Debug>(ended: Result<T, Failure>) -> String {
    match ended {
        Err(Failure::Away(why)) => why.to_string(),
        other => panic!("not away: {other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_away_at_once() {
    let url = PostgresUrl::parse(&format!("postgres://u@{}/x", free_address())).unwrap();
    is_away(try_connect(url).await);
    let server = PostgresServer::shared();
    is_away(try_connect(server.url("no_such_database")).await);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_away_after_a_while() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("postgres://u@{}/x", silent.local_addr().unwrap());
    let options = PostgresOptions {
        connect_timeout: Duration::from_millis(50),
        ..PostgresOptions::default()
    };
    let connector = Connector::new(PostgresUrl::parse(&url).unwrap(), &options, "test").unwrap();
    is_away(connector.connect().await);
}

#[tokio::test]
async fn of_several_hosts_the_one_that_may_write_is_taken() {
    let (reads_only, writes) = (PostgresServer::start(), PostgresServer::shared());
    let client = connect(reads_only.url("postgres")).await;
    client
        .batch_execute("alter system set default_transaction_read_only = on")
        .await
        .unwrap();
    client
        .batch_execute("select pg_reload_conf()")
        .await
        .unwrap();
    drop(client);
    let text = format!(
        "{},{}",
        reads_only
            .url_text("postgres")
            .trim_end_matches("/postgres"),
        writes.url_text("postgres").split_once('@').unwrap().1
    );
    let first = reads_only.url("postgres");
    acquaint_tests::wait::eventually("the server only reads", || async {
        try_connect(first.clone()).await.err()
    })
    .await;
    let client = connect(PostgresUrl::parse(&text).unwrap()).await;
    client
        .batch_execute("create temporary table t (x integer)")
        .await
        .unwrap();
}

#[tokio::test]
async fn a_host_that_does_not_answer_keeps_no_other_from_being_found() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let text = PostgresServer::shared().url_text("postgres");
    let url = PostgresUrl::parse(&text.replace('@', &format!("@{address},"))).unwrap();
    connect(url).await;
}

#[tokio::test]
async fn a_password_in_a_file_is_read_for_each_connection() {
    let server = PostgresServer::shared();
    let admin = connect(server.url("postgres")).await;
    // Who may come without a password is known by name, so that this test disturbs no other.
    admin
        .batch_execute("create role ann login password 'first'")
        .await
        .unwrap();
    let hba = server.folder().join("data/pg_hba.conf");
    let before = fs::read_to_string(&hba).unwrap();
    fs::write(&hba, format!("host all ann all scram-sha-256\n{before}")).unwrap();
    admin
        .batch_execute("select pg_reload_conf()")
        .await
        .unwrap();
    let text = server.url_text("postgres").replace("acquaint@", "ann@");
    let url = PostgresUrl::parse(&text).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    let options = PostgresOptions {
        password_file: Some(file.path().to_owned()),
        ..PostgresOptions::default()
    };
    let empty = Connector::new(url.clone(), &options, "test");
    assert!(matches!(empty, Err(SetupError::File { .. })), "{empty:?}");
    fs::write(file.path(), "first\n").unwrap();
    let connector = Connector::new(url, &options, "test").unwrap();
    acquaint_tests::wait::eventually("a password is asked for", || async {
        fs::write(file.path(), "wrong").unwrap();
        let refused = connector.connect().await.err();
        fs::write(file.path(), "first\n").unwrap();
        refused
    })
    .await;
    connector.connect().await.unwrap();
    admin
        .batch_execute("alter role ann password 'second'")
        .await
        .unwrap();
    is_away(connector.connect().await.map(|_| ()));
    fs::write(file.path(), "second").unwrap();
    connector.connect().await.unwrap();
}

#[tokio::test]
async fn by_tls_only_a_server_that_somebody_vouches_for_is_believed() {
    let server = PostgresServer::start();
    server.stop(Ending::Fast);
    let made =
        rcgen::generate_simple_self_signed(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
    let data = server.folder().join("data");
    fs::write(data.join("server.crt"), made.cert.pem()).unwrap();
    fs::write(data.join("server.key"), made.signing_key.serialize_pem()).unwrap();
    own(&data.join("server.key"), &data);
    server.set("ssl = on\nlisten_addresses = '127.0.0.1'\nport = 0");
    let port = free_address().port();
    server.set(&format!("port = {port}"));
    server.run();
    let url = PostgresUrl::parse(&format!(
        "postgres://acquaint@localhost:{port}/postgres?sslmode=require&hostaddr=127.0.0.1"
    ))
    .unwrap();
    let ca = tempfile::NamedTempFile::new().unwrap();
    fs::write(ca.path(), made.cert.pem()).unwrap();
    let trusting = PostgresOptions {
        ca_file: Some(ca.path().to_owned()),
        ..PostgresOptions::default()
    };
    let client = Connector::new(url.clone(), &trusting, "test")
        .unwrap()
        .connect()
        .await
        .unwrap()
        .0;
    let row = client.query_one("select ssl, application_name from pg_stat_ssl join pg_stat_activity using (pid) where pid = pg_backend_pid()", &[]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), (true, "test"));
    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    fs::write(ca.path(), stranger.cert.pem()).unwrap();
    let connector = Connector::new(url, &trusting, "test").unwrap();
    is_away(connector.connect().await);
}

fn own(path: &std::path::Path, like: &std::path::Path) {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    let owner = fs::metadata(like).unwrap();
    chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

//! Where Redis can be: behind a password, TLS or a socket, in a cluster, behind sentinels.

use std::{fs, path::PathBuf};

use acquaint_tests::{
    redis::{RedisCluster, RedisServer},
    wait::eventually,
};
use invitation_service::limiter::{
    Reservation,
    redis::{RedisLimiter, RedisMetrics, RedisOptions, RedisUrl, TimeSource},
};

use crate::engine::{Engine, RULES, at, incarnation, over, patient, taken};

fn parsed(text: &str) -> RedisUrl {
    RedisUrl::parse(text).unwrap()
}

async fn works(url: &str, options: &RedisOptions) {
    let limiter = over(parsed(url), options, RULES);
    limiter.connected().await;
    let ann = Engine::of(limiter);
    ann.seed(&[], 1, at(0)).await;
    assert_eq!(ann.reserve(1, at(0)).await, taken(1, true), "{url}");
    ann.forget().await;
}

/// Nobody gets in there: what is seeded is not known.
async fn refuses(url: &str, options: &RedisOptions) {
    let limiter = over(parsed(url), options, RULES);
    let waited = tokio::time::timeout(options.connect_timeout, limiter.connected()).await;
    assert!(waited.is_err(), "{url}");
    let ann = Engine::of(limiter);
    ann.seed(&[], 1, at(0)).await;
    assert_eq!(ann.reserve(1, at(0)).await, Reservation::Away, "{url}");
}

/// Who is refused is refused at once; this is only how long is waited for nothing.
fn impatient() -> RedisOptions {
    RedisOptions {
        connect_timeout: std::time::Duration::from_millis(300),
        ..patient()
    }
}

#[tokio::test]
async fn a_password_stands_in_the_url_or_in_a_file() {
    let server = RedisServer::with_password("geheim").await;
    let address = server.address();
    works(&format!("redis://:geheim@{address}"), &patient()).await;
    let file = server.folder().join("password");
    let with_file = |options| RedisOptions {
        password_file: Some(file.clone()),
        ..options
    };
    fs::write(&file, "geheim\n").unwrap();
    works(&format!("redis://default@{address}"), &with_file(patient())).await;
    fs::write(&file, "wrong").unwrap();
    refuses(&format!("redis://{address}"), &with_file(impatient())).await;
    refuses(&format!("redis://{address}"), &impatient()).await;
    fs::remove_file(&file).unwrap();
    let started = RedisLimiter::start(
        server.url(),
        &with_file(patient()),
        incarnation(1),
        RULES,
        TimeSource::Caller,
        RedisMetrics::default(),
    );
    let error = started.err().expect("there is no such file").to_string();
    assert!(error.contains("password"), "{error}");
}

#[tokio::test]
async fn a_password_is_read_anew_for_each_connection() {
    let server = RedisServer::with_password("geheim").await;
    let file = server.folder().join("password");
    fs::write(&file, "old").unwrap();
    let options = RedisOptions {
        password_file: Some(file.clone()),
        ..patient()
    };
    let limiter = over(server.url(), &options, RULES);
    fs::write(&file, "geheim").unwrap();
    limiter.connected().await;
}

#[tokio::test]
async fn a_server_of_this_machine_has_a_socket() {
    let folder = acquaint_tests::pair::folder();
    let socket = folder.path().join("redis.sock");
    let socket = socket.to_str().unwrap();
    let _server = RedisServer::with(&["--unixsocket", socket]).await;
    works(&format!("redis+unix://{socket}"), &patient()).await;
}

#[tokio::test]
async fn a_database_has_a_number() {
    let server = RedisServer::start().await;
    let limiter = over(
        parsed(&format!("redis://{}/3", server.address())),
        &patient(),
        RULES,
    );
    limiter.connected().await;
    Engine::of(limiter).seed(&[], 1, at(0)).await;
    let keys: String = server.ask(&["INFO", "keyspace"]).await;
    assert!(keys.contains("db3:") && !keys.contains("db0:"), "{keys}");
}

/// A certificate for this very server, and its key.
fn certificate(server: &RedisServer) -> (PathBuf, PathBuf) {
    let host = server.host().to_string();
    let made = rcgen::generate_simple_self_signed(vec![host]).unwrap();
    let (certificate, key) = (
        server.folder().join("tls.crt"),
        server.folder().join("tls.key"),
    );
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (certificate, key)
}

#[tokio::test]
async fn tls_is_spoken_with_whom_the_certificate_names() {
    const TLS_PORT: &str = "7380";
    let mut server = RedisServer::stopped(&[
        "--tls-port",
        TLS_PORT,
        "--tls-cert-file",
        "tls.crt",
        "--tls-key-file",
        "tls.key",
        "--tls-ca-cert-file",
        "tls.crt",
        "--tls-auth-clients",
        "no",
    ]);
    let (certificate, _) = certificate(&server);
    server.run().await;
    let with_ca = |options, file| RedisOptions {
        ca_file: Some(file),
        ..options
    };
    let url = format!("rediss://{}:{TLS_PORT}", server.host());
    works(&url, &with_ca(patient(), certificate)).await;
    // Nobody vouches for it, or for somebody else.
    refuses(&url, &impatient()).await;
    let other = RedisServer::stopped(&[]);
    let (other, _) = self::certificate(&other);
    refuses(&url, &with_ca(impatient(), other)).await;
    // Nor is TLS spoken where the server does not.
    refuses(&format!("rediss://{}", server.address()), &impatient()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_keeps_each_member_on_one_of_its_nodes() {
    let cluster = RedisCluster::start().await;
    let limiter = over(parsed(&cluster.url()), &patient(), RULES);
    limiter.connected().await;
    let engine = Engine::of(limiter);
    for number in 0..60 {
        let member = engine.with_member(&format!("member-{number}"));
        member.seed(&[at(0)], 2, at(0)).await;
        assert_eq!(member.reserve(1, at(0)).await, taken(1, true), "{number}");
        assert_eq!(
            member.reserve(2, at(0)).await,
            Reservation::Full,
            "{number}"
        );
    }
    for node in &cluster.nodes {
        let keys: usize = node.ask(&["DBSIZE"]).await;
        assert!(keys > 5, "{keys}");
    }
    engine.with_member("member-7").forget().await;
    let member = engine.with_member("member-7");
    assert_eq!(member.reserve(2, at(0)).await, Reservation::Unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn sentinels_say_who_the_master_is_also_after_another_took_over() {
    let mut master = RedisServer::start().await;
    let address = master.address();
    let (host, port) = (address.ip().to_string(), address.port().to_string());
    let replica = RedisServer::with(&["--replicaof", &host, &port]).await;
    eventually("the replica follows", || async {
        let info: String = replica.ask(&["INFO", "replication"]).await;
        info.contains("master_link_status:up").then_some(())
    })
    .await;
    let mut sentinel = RedisServer::stopped(&["sentinel.conf", "--sentinel"]);
    let settings = format!(
        "sentinel monitor mine {host} {port} 1\nsentinel down-after-milliseconds mine 500\nsentinel failover-timeout mine 2000\n"
    );
    fs::write(sentinel.folder().join("sentinel.conf"), settings).unwrap();
    sentinel.run().await;
    eventually("the sentinel knows the replica", || async {
        let info: String = sentinel.ask(&["INFO", "sentinel"]).await;
        info.contains("slaves=1").then_some(())
    })
    .await;
    let url = format!("redis+sentinel://{}/mine", sentinel.address());
    let options = RedisOptions {
        connect_timeout: std::time::Duration::from_secs(1),
        ..patient()
    };
    let limiter = over(parsed(&url), &options, RULES);
    limiter.connected().await;
    let ann = Engine::of(limiter);
    ann.seed(&[], 2, at(0)).await;
    assert_eq!(ann.reserve(1, at(0)).await, taken(1, true));
    master.kill().await;
    replica.takes_over().await;
    eventually("the replica is used", || async {
        ann.seed(&[], 2, at(0)).await;
        let used = matches!(ann.reserve(2, at(0)).await, Reservation::Taken(_));
        used.then_some(())
    })
    .await;
}

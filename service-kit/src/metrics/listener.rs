//! `GET /metrics`, and nothing else, over plain HTTP/1.
//!
//! Whoever reaches the address can read the figures; they name no member. So it is best one of loopback or of a network for operators.
//! What a peer can make it hold is bounded: connections, the size of a request, and the time of both. Deliberately absent: credentials,
//! TLS and connections that stay open: a scrape comes every few seconds at most.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Metrics;

/// How many connections are served at a time; more wait.
const CONNECTIONS_MAX: usize = 8;
/// How long one connection may take from its beginning to its end.
const CONNECTION_TIME: Duration = Duration::from_secs(10);
/// How long accepting pauses when the system has nothing to accept with.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How large the head of a request may be, in bytes; hyper's lower bound.
const HEAD_BYTES_MAX: usize = 8 * 1_024;

/// What [`Metrics::scrape`] writes.
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Listens on `address` for scrapes. Says so when other machines may reach it.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    if address.ip().to_canonical().is_loopback() {
        tracing::info!(%address, "metrics at /metrics");
    } else {
        tracing::warn!(%address, "metrics at /metrics, for whoever reaches this address: there are no credentials");
    }
    Ok(listener)
}

/// Answers scrapes until `stop` is cancelled.
pub async fn serve(listener: TcpListener, metrics: Metrics, stop: CancellationToken) {
    let metrics = Arc::new(metrics);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let accepting = async {
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let metrics = metrics.clone();
                    connections.spawn(async move {
                        let answered = serve_connection(stream, metrics);
                        if tokio::time::timeout(CONNECTION_TIME, answered)
                            .await
                            .is_err()
                        {
                            tracing::debug!("a scrape took too long");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!("cannot accept a scrape: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    stop.run_until_cancelled(accepting).await;
    connections.shutdown().await;
}

async fn serve_connection(stream: TcpStream, metrics: Arc<Metrics>) {
    let service = service_fn(move |request| {
        let metrics = metrics.clone();
        async move { Ok::<_, Infallible>(answer(&request, &metrics).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .keep_alive(false)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!("a scrape broke off: {error}");
    }
}

async fn answer<B>(request: &Request<B>, metrics: &Metrics) -> Response<Full<Bytes>> {
    let status = match (request.uri().path(), request.method()) {
        ("/metrics", &Method::GET) => match metrics.scrape().await {
            Ok(page) => {
                let mut response = Response::new(Full::from(page));
                let content_type = header::HeaderValue::from_static(CONTENT_TYPE);
                response
                    .headers_mut()
                    .insert(header::CONTENT_TYPE, content_type);
                return response;
            }
            Err(error) => {
                tracing::error!("metrics cannot be written: {error}");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        },
        ("/metrics", _) => StatusCode::METHOD_NOT_ALLOWED,
        _ => StatusCode::NOT_FOUND,
    };
    let mut response = Response::default();
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::metrics::register_read;

    async fn started() -> (SocketAddr, CancellationToken) {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut metrics = Metrics::new("test", "1.2.3");
        register_read(metrics.registry(), "answer", "Of everything", || Some(42.0));
        register_read(metrics.registry(), "nothing", "Unknown", || None);
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, metrics, stop.clone()));
        (address, stop)
    }

    async fn ask(address: SocketAddr, request: &str) -> String {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // Refused requests may be cut off while they are still being written.
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn figures_are_shown_and_nothing_else() {
        let (address, _stop) = started().await;
        let page = ask(address, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await;
        assert!(page.starts_with("HTTP/1.1 200 OK\r\n"), "{page}");
        for line in [
            "acquaint_answer{component=\"test\"} 42.0\n",
            "acquaint_build_info{component=\"test\",version=\"1.2.3\"} 1\n",
            "process_cpu_seconds_total{component=\"test\"} ",
            "# EOF\n",
        ] {
            assert!(page.contains(line), "{line} is not in {page}");
        }
        assert!(!page.contains("nothing"), "{page}");
        for (request, status) in [
            ("GET / HTTP/1.1\r\nhost: x\r\n\r\n", "404"),
            ("POST /metrics HTTP/1.1\r\nhost: x\r\n\r\n", "405"),
            ("nonsense\r\n\r\n", "400"),
        ] {
            let answer = ask(address, request).await;
            let expected = format!("HTTP/1.1 {status} ");
            assert!(answer.starts_with(&expected), "{request}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_large_head_is_refused() {
        let (address, _stop) = started().await;
        let head = format!(
            "GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n",
            "y".repeat(1 << 20)
        );
        let answer = ask(address, &head).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    #[tokio::test]
    async fn silent_peers_are_cut_so_that_others_have_their_turn() {
        let (address, _stop) = started().await;
        let mut silent = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            silent.push(TcpStream::connect(address).await.unwrap());
        }
        tokio::time::pause();
        // Time moves by itself once nothing but waiting is left, so this ends after what the silent ones are given.
        let request = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
        let answer = ask(address, request).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }

    #[tokio::test]
    async fn ends_when_told_to() {
        let (address, stop) = started().await;
        stop.cancel();
        let gone = async { while TcpStream::connect(address).await.is_ok() {} };
        tokio::time::timeout(Duration::from_secs(10), gone)
            .await
            .unwrap();
    }
}

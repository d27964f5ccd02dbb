//! Reading what a process shows at its address for metrics, as Prometheus does.

use std::net::{SocketAddr, TcpListener};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An address of loopback that nobody listens on now.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// All figures of the process that shows them at `address`.
pub async fn scrape(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, page) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(page.ends_with("# EOF\n"), "{answer}");
    page.to_owned()
}

/// The value of the only series of `page` that begins with `series`.
pub fn value(page: &str, series: &str) -> f64 {
    let mut found = page.lines().filter(|line| line.starts_with(series));
    let (Some(line), None) = (found.next(), found.next()) else {
        panic!("not one {series} in {page}");
    };
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

//! Reading what a process shows at its address for metrics, as Prometheus does.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// An address of loopback that is left to the caller: whoever asks for any port gets one of 127.0.0.1, and this is another host of
/// loopback's network, drawn anew each time.
pub fn free_address() -> SocketAddr {
    let host = Ipv4Addr::new(
        127,
        fastrand::u8(1..=254),
        fastrand::u8(..),
        fastrand::u8(1..=254),
    );
    let listener = TcpListener::bind((host, 0)).unwrap();
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

//! The simulated network under tonic: a listener and a channel.
//!
//! Deliberately absent: what the network does to messages; that is turmoil's, told by the plan.

use std::{io, net::SocketAddr, time::Duration};

use hyper_util::rt::TokioIo;
use service_kit::server;
use tonic::transport::{Channel, Endpoint, Uri};
use turmoil::net::{TcpListener, TcpStream};

/// A listener on the simulated network.
pub(crate) struct Listener(TcpListener);

impl Listener {
    /// Listens on a port of the simulated host that this runs on.
    pub(crate) async fn bind(port: u16) -> io::Result<Self> {
        TcpListener::bind(("0.0.0.0", port)).await.map(Self)
    }
}

impl server::Listener for Listener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<TcpStream> {
        self.0.accept().await.map(|(stream, _)| stream)
    }

    /// Said to be of loopback: no other machine can reach what is simulated.
    fn local_addr(&self) -> io::Result<SocketAddr> {
        let port = self.0.local_addr()?.port();
        Ok(SocketAddr::from(([127, 0, 0, 1], port)))
    }
}

/// A channel over the simulated network, which connects when it is used and again when it broke. A peer that shows no sign is given up
/// sooner than in production, so that what a partition has swallowed is over within the simulated time.
pub(crate) fn channel(host: &str, port: u16) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{host}:{port}")).expect("a valid URL");
    endpoint
        .connect_timeout(Duration::from_millis(400))
        .http2_keep_alive_interval(Duration::from_millis(300))
        .keep_alive_timeout(Duration::from_millis(300))
        .keep_alive_while_idle(true)
        .connect_with_connector_lazy(tower::service_fn(connect))
}

async fn connect(to: Uri) -> io::Result<TokioIo<TcpStream>> {
    let missing = || io::Error::from(io::ErrorKind::InvalidInput);
    let host = to.host().ok_or_else(missing)?.to_owned();
    let port = to.port_u16().ok_or_else(missing)?;
    TcpStream::connect((host, port)).await.map(TokioIo::new)
}

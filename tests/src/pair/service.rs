//! One service of the pair, which can be stopped and started again where it was.

use std::net::SocketAddr;

use tokio::{
    net::{TcpListener, TcpSocket},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{channel, socket};
use crate::Invitations;
use crate::wait::until_serving;

/// A service: its address, and its task while it runs.
pub(super) struct Service {
    pub(super) address: SocketAddr,
    /// Keeps the port while the service is stopped, so that it can come back to it.
    _port: TcpSocket,
    pub(super) running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Service {
    /// With an address of loopback of its own.
    pub(super) fn new() -> Self {
        let port = socket("127.0.0.1:0".parse().unwrap());
        Self {
            address: port.local_addr().unwrap(),
            _port: port,
            running: None,
        }
    }

    pub(super) fn listen(&self) -> TcpListener {
        socket(self.address).listen(1_024).unwrap()
    }

    pub(super) async fn serves(&self) {
        until_serving(channel(self.address)).await;
    }

    pub(super) async fn stop(&mut self) {
        if let Some((shutdown, running)) = self.running.take() {
            shutdown.cancel();
            running.await.expect("the service ended well");
        }
    }
}

/// Another process of a service of the pair.
pub struct Replica(pub(super) Service);

impl Replica {
    /// Where it listens: `HOST:PORT`.
    pub fn address(&self) -> String {
        self.0.address.to_string()
    }

    /// A client of it.
    pub fn invitations(&self) -> Invitations {
        Invitations::new(channel(self.0.address))
    }

    /// Stops it.
    pub async fn stop(mut self) {
        self.0.stop().await;
    }
}

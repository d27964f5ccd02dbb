//! A call as it travels: bytes in; headers, bytes and trailers out. Nothing stands between a test and the wire but HTTP/2.
//!
//! Deliberately absent: streams that stay open; those are read with the generated clients.

use std::time::Duration;

use acquaint_tests::pair::Pair;
use bytes::{BufMut as _, Bytes, BytesMut};
use h2::{RecvStream, client::SendRequest};
use http::{HeaderMap, Request};
use prost::Message;
use tokio::net::TcpStream;
use tonic::Status;

use crate::contract;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// All that came back: compares equal only when a client could not tell the two apart, but for when they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    /// The status, unless the call succeeded.
    pub(crate) fn refusal(&self) -> Option<Status> {
        let status = [&self.trailers, &self.headers].into_iter();
        let status = status.filter(|map| map.contains_key("grpc-status"));
        let status = status
            .map(|map| Status::from_header_map(map).unwrap())
            .next();
        let status = status.unwrap_or_else(|| panic!("no grpc-status: {self:?}"));
        (status.code() != tonic::Code::Ok).then_some(status)
    }

    /// The message of a call that must have succeeded.
    pub(crate) fn message<M: Message + Default>(&self) -> M {
        assert_eq!(self.refusal().map(|status| status.to_string()), None);
        M::decode(&self.body[5..]).unwrap()
    }

    /// The same with each name in the body replaced by its alias, which must be as long, so that nothing else moves.
    pub(crate) fn renamed(&self, aliases: &[(&str, &str)]) -> Self {
        let mut renamed = self.clone();
        renamed.body = rename(&self.body, aliases);
        renamed
    }
}

/// `bytes` with each name replaced by its alias.
pub(crate) fn rename(bytes: &[u8], aliases: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (name, alias) in aliases {
        let (name, alias) = (name.as_bytes(), alias.as_bytes());
        assert_eq!(name.len(), alias.len(), "a name and its alias");
        let mut at = 0;
        while at + name.len() <= bytes.len() {
            if bytes[at..].starts_with(name) {
                bytes[at..at + name.len()].copy_from_slice(alias);
                at += name.len();
            } else {
                at += 1;
            }
        }
    }
    bytes
}

/// Connections to both services.
pub(crate) struct Wire {
    invitation: SendRequest<Bytes>,
    connection: SendRequest<Bytes>,
}

impl Wire {
    pub(crate) async fn to(pair: &Pair) -> Self {
        Self {
            invitation: open(&pair.invitation_address()).await,
            connection: open(&pair.connection_address()).await,
        }
    }

    /// Calls a method, by its name alone.
    pub(crate) async fn call(&self, method: &str, request: &impl Message) -> Answer {
        self.call_with(method, &request.encode_to_vec(), &[]).await
    }

    /// Calls a method with an encoded message and headers of one's own.
    pub(crate) async fn call_with(
        &self,
        method: &str,
        message: &[u8],
        headers: &[(&str, &str)],
    ) -> Answer {
        let path = contract::path(method);
        let client = if path.starts_with("/acquaint.invitation.") {
            &self.invitation
        } else {
            &self.connection
        };
        let answer = call(client.clone(), path, message, headers);
        tokio::time::timeout(PATIENCE, answer)
            .await
            .unwrap_or_else(|_| panic!("{path} does not end"))
    }
}

impl Wire {
    /// Begins a call of this path and gives it up when it has been let in: the status that it is refused with at once, if it is.
    pub(crate) async fn begin(
        &self,
        path: &str,
        message: &[u8],
        headers: &[(&str, &str)],
    ) -> Option<Status> {
        let client = if path.starts_with("/acquaint.connection.") {
            &self.connection
        } else {
            &self.invitation
        };
        let begun = begin(client.clone(), path, message, headers);
        let begun = tokio::time::timeout(PATIENCE, begun).await;
        let begun = begun.unwrap_or_else(|_| panic!("{path} does not begin"));
        let head = begun.headers();
        head.contains_key("grpc-status")
            .then(|| Status::from_header_map(head).unwrap())
            .filter(|status| status.code() != tonic::Code::Ok)
    }
}

async fn open(address: &str) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    // Ends with the last handle, or the service.
    tokio::spawn(connection);
    client
}

/// Sends a call; what comes back once its headers have.
async fn begin(
    client: SendRequest<Bytes>,
    path: &str,
    message: &[u8],
    headers: &[(&str, &str)],
) -> http::Response<RecvStream> {
    let mut request = Request::post(format!("http://service{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.put_slice(message);
    let mut client = client.ready().await.unwrap();
    let (response, mut sending) = client
        .send_request(request.body(()).unwrap(), false)
        .unwrap();
    // Beyond the window it waits for the service. One that has refused the call already wants none of it.
    let _ = sending.send_data(framed.freeze(), true);
    let response = response.await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response
}

async fn call(
    client: SendRequest<Bytes>,
    path: &str,
    message: &[u8],
    headers: &[(&str, &str)],
) -> Answer {
    let begun = begin(client, path, message, headers).await;
    let (head, mut incoming) = begun.into_parts();
    let mut body = Vec::new();
    while let Some(data) = incoming.data().await {
        let data = data.unwrap();
        incoming
            .flow_control()
            .release_capacity(data.len())
            .unwrap();
        body.extend_from_slice(&data);
    }
    let mut headers = head.headers;
    headers.remove("date");
    Answer {
        headers,
        body,
        trailers: incoming.trailers().await.unwrap().unwrap_or_default(),
    }
}

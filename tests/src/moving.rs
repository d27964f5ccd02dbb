//! Networks that are moved in: rows to import, and a real network to make them of.
//!
//! `data/ego-facebook.txt.gz` is the "ego-Facebook" network of the Stanford Large Network Dataset Collection (J. `McAuley` and J. Leskovec,
//! *Learning to Discover Social Circles in Ego Networks*, NIPS 2012), anonymised: 4,039 people and 88,234 pairs, one a line.

use std::io::Read as _;

use acquaint_proto::connection::v1::{
    ImportConnectionsRequest, ImportConnectionsResponse, ImportedConnection,
};
use flate2::read::GzDecoder;
use futures::stream;
use service_kit::{fields::timestamp, time::Time};
use tonic::Status;

use crate::Connections;

/// Two members and the moment they were connected.
pub type Row = (String, String, Time);

/// How many rows go in one message.
const MESSAGE_ROWS: usize = 500;

/// The pairs of the real network, in the order of its file.
pub fn friendships() -> Vec<(u32, u32)> {
    let packed: &[u8] = include_bytes!("../data/ego-facebook.txt.gz");
    let mut text = String::new();
    GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let pair = |line: &str| {
        let (one, other) = line.split_once(' ').unwrap();
        (one.parse().unwrap(), other.parse().unwrap())
    };
    text.lines().map(pair).collect()
}

/// Imports rows.
pub async fn import(
    connections: &Connections,
    rows: &[Row],
) -> Result<ImportConnectionsResponse, Status> {
    let row = |(member, other, time): &Row| ImportedConnection {
        member_id: member.clone(),
        other_id: other.clone(),
        connect_time: Some(timestamp(*time)),
    };
    let message = |rows: &[Row]| ImportConnectionsRequest {
        connections: rows.iter().map(row).collect(),
    };
    let messages: Vec<_> = rows.chunks(MESSAGE_ROWS).map(message).collect();
    let mut connections = connections.clone();
    let answer = connections.import_connections(stream::iter(messages));
    answer.await.map(tonic::Response::into_inner)
}

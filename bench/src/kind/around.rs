//! Calls about the network around a member.
//!
//! Deliberately absent: who is connected to whom (see `network`).

use std::collections::VecDeque;

use acquaint_proto::connection::v1 as connection;
use anyhow::Context as _;

use super::{PAGE, Supply, scattered};
use crate::{
    call::Call,
    network::{Network, id, mix},
};

/// Of how many members connections in common are asked about.
const MUTUAL_MEMBERS: u64 = 400;
/// With how many others a call asks for the degree.
const DEGREES: u64 = 500;

impl Supply {
    /// Of popular members and whom they are suggested.
    pub(super) async fn mutual(&mut self) -> anyhow::Result<VecDeque<Call>> {
        let mut calls = VecDeque::new();
        for number in 0..self.network.populars().min(MUTUAL_MEMBERS) {
            let member_id = id(self.network.popular(number));
            let request = connection::SuggestConnectionsRequest {
                member_id: member_id.clone(),
                page_size: PAGE,
                ..Default::default()
            };
            let answer = self.clients.connections.suggest_connections(request).await;
            let found = answer.context("preparing calls")?.into_inner().suggestions;
            calls.extend(found.into_iter().map(|one| {
                Call::Mutual(connection::ListMutualConnectionsRequest {
                    member_id: member_id.clone(),
                    other_id: one.other_id,
                    page_size: PAGE,
                    ..Default::default()
                })
            }));
        }
        Ok(scattered(calls))
    }
}

pub(super) fn degrees(network: &Network, number: u64) -> Call {
    let others = (0..DEGREES).map(|nth| id(network.anybody(mix(number) % network.members() + nth)));
    let member = network.popular(number);
    Call::Degrees(connection::BatchGetRelationshipsRequest {
        member_id: id(member),
        other_ids: others.filter(|other| *other != id(member)).collect(),
        with_mutual_counts: false,
    })
}

pub(super) fn suggest(network: &Network, number: u64) -> Call {
    Call::Suggest(connection::SuggestConnectionsRequest {
        member_id: id(network.popular(number)),
        page_size: PAGE,
        ..Default::default()
    })
}

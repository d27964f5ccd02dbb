//! The kinds of call, and a supply of calls for each: from the generated network, or from what the services list.
//!
//! Calls that change something are used up; the others come round again. Deliberately absent: making the calls.

mod around;
mod noted;

use std::collections::VecDeque;

use acquaint_proto::{
    connection::v1::{self as connection, ConnectionOrder},
    invitation::v1 as invitation,
};
use anyhow::Context as _;
use uuid::Uuid;

use crate::{
    call::{Call, Clients},
    network::{HUB, Network, card, id, mix, note},
};

/// A kind of call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A method that does nothing, on tonic's own server.
    Empty,
    /// A method that does nothing, on the server that both services use.
    EmptyKit,
    /// `GetInvitation` of either member.
    Get,
    /// `ListInvitations`: 50 received.
    List,
    /// `CountInvitations`.
    Counts,
    /// `BatchGetInvitationStates` for 50 others.
    States,
    /// `GetInvitationQuota`.
    Quota,
    /// `GetRelationship` of two who are connected.
    Relationship,
    /// `ListConnections`: 50.
    Connections,
    /// `ListConnections`: 100.
    ConnectionsPage,
    /// `ListConnections` by first name: 50 of somebody's who has a hundred or so.
    ConnectionsByName,
    /// `ListConnections` with a query: 50 of 30,000.
    ConnectionsSearch,
    /// `ListConnections` by last name, 50 of 30,000, deep in the list.
    ConnectionsDeep,
    /// `ListConnections` of members who have noted something about each of these: 50.
    Noted,
    /// `ListConnections` with a label: 50.
    Labelled,
    /// `UpdateConnection`: two labels and a note.
    Annotate,
    /// `BatchGetRelationships` with 500 others, of the most popular members in turn.
    Degrees,
    /// `ListMutualConnections`: 50, of two who have some.
    Mutual,
    /// `SuggestConnections`: 50, of the most popular members in turn.
    Suggest,
    /// `SendInvitation` without a request id; one in four has a note.
    Send,
    /// `SendInvitation` with a request id.
    SendOnce,
    /// `SendInvitation` that meets the other's: both services.
    Crossing,
    /// `AcceptInvitation`: both services.
    Accept,
    /// `DeclineInvitation`.
    Decline,
    /// `WithdrawInvitation`.
    Withdraw,
    /// `RemoveConnection`: both services.
    Remove,
    /// `BlockMember`, of somebody not met: both services.
    Block,
    /// `UnblockMember`: both services.
    Unblock,
}

impl Kind {
    /// Whether calls of this kind change what is stored.
    pub(crate) fn writes(self) -> bool {
        match self {
            Self::Empty
            | Self::EmptyKit
            | Self::Get
            | Self::List
            | Self::Counts
            | Self::States
            | Self::Quota
            | Self::Relationship
            | Self::Connections
            | Self::ConnectionsPage
            | Self::ConnectionsByName
            | Self::ConnectionsSearch
            | Self::ConnectionsDeep
            | Self::Noted
            | Self::Labelled
            | Self::Degrees
            | Self::Mutual
            | Self::Suggest => false,
            Self::Annotate
            | Self::Send
            | Self::SendOnce
            | Self::Crossing
            | Self::Accept
            | Self::Decline
            | Self::Withdraw
            | Self::Remove
            | Self::Block
            | Self::Unblock => true,
        }
    }
}

/// How many different calls of a kind that only reads are prepared.
const READS: usize = 20_000;
/// How many members note something about their connections.
const NOTED_MEMBERS: usize = 500;
/// How long a measured page is.
const PAGE: i32 = 50;
/// How long a page is when calls are prepared.
const PREPARING_PAGE: i32 = 1_000;

/// Hands out calls. What it has handed out of one copy of the stores it does not hand out again.
pub(crate) struct Supply {
    network: Network,
    clients: Clients,
    /// Pairs who had not met and have been used.
    strangers: u64,
    /// Members whose lists have been used.
    listed: u64,
    handed_out: u64,
}

impl Supply {
    /// Of a fresh copy of the stores.
    pub(crate) fn new(network: Network, clients: Clients) -> Self {
        Self {
            network,
            clients,
            strangers: 0,
            listed: 0,
            handed_out: 0,
        }
    }

    /// How many calls have been handed out that concern what is stored.
    pub(crate) fn handed_out(&self) -> u64 {
        self.handed_out
    }

    /// Calls of a kind: `wanted`, or fewer when there are no more; the same number always for kinds that only read.
    pub(crate) async fn calls(
        &mut self,
        kind: Kind,
        wanted: usize,
    ) -> anyhow::Result<VecDeque<Call>> {
        let reads = (0_u64..).take(READS);
        let network = self.network;
        let anybody = |number| id(network.anybody(number));
        let calls: VecDeque<Call> = match kind {
            Kind::Empty => [Call::Empty].into(),
            Kind::EmptyKit => [Call::EmptyKit].into(),
            Kind::Get => self.received(READS, get).await?,
            Kind::List => reads.map(|number| list(&network, number)).collect(),
            Kind::Counts => reads
                .map(|number| {
                    Call::Counts(invitation::CountInvitationsRequest {
                        member_id: anybody(number),
                    })
                })
                .collect(),
            Kind::States => reads.map(|number| states(&network, number)).collect(),
            Kind::Quota => reads
                .map(|number| {
                    Call::Quota(invitation::GetInvitationQuotaRequest {
                        member_id: anybody(number),
                    })
                })
                .collect(),
            Kind::Relationship => self.connected(READS, relationship).await?,
            Kind::Connections => {
                self.full_pages(false, PAGE, ConnectionOrder::Recent)
                    .await?
            }
            Kind::ConnectionsPage => {
                self.full_pages(false, 2 * PAGE, ConnectionOrder::Recent)
                    .await?
            }
            Kind::ConnectionsByName => {
                self.full_pages(false, PAGE, ConnectionOrder::FirstName)
                    .await?
            }
            Kind::ConnectionsSearch => reads.map(search).collect(),
            Kind::ConnectionsDeep => self.deep_pages().await?,
            Kind::Noted => self.noted_pages("").await?,
            Kind::Labelled => self.noted_pages(noted::LABEL).await?,
            Kind::Annotate => self.connected(wanted, noted::annotate).await?,
            Kind::Degrees => reads
                .map(|number| around::degrees(&network, number))
                .collect(),
            Kind::Mutual => self.mutual().await?,
            Kind::Suggest => reads
                .map(|number| around::suggest(&network, number))
                .collect(),
            Kind::Send => {
                self.new_pairs(wanted, |number, pair| Call::Send(send(number, pair, false)))
            }
            Kind::SendOnce => {
                self.new_pairs(wanted, |number, pair| Call::Send(send(number, pair, true)))
            }
            Kind::Crossing => self.received(wanted, crossing).await?,
            Kind::Accept => self.received(wanted, accept).await?,
            Kind::Decline => self.received(wanted, decline).await?,
            Kind::Withdraw => self.received(wanted, withdraw).await?,
            Kind::Remove => self.connected(wanted, remove).await?,
            Kind::Block => self.new_pairs(wanted, |_, pair| block(pair)),
            Kind::Unblock => self.block_to_unblock(wanted).await?,
        };
        self.handed_out += u64::try_from(calls.len())?;
        Ok(calls)
    }

    fn new_pairs(
        &mut self,
        wanted: usize,
        call: impl Fn(u64, (u64, u64)) -> Call,
    ) -> VecDeque<Call> {
        let numbers = (self.strangers..self.network.strangers()).take(wanted);
        let calls: VecDeque<_> = numbers
            .map(|number| call(number, self.network.stranger(number)))
            .collect();
        self.strangers += u64::try_from(calls.len()).unwrap_or(u64::MAX);
        calls
    }

    /// From what waits in members' lists.
    async fn received(
        &mut self,
        wanted: usize,
        call: impl Fn(invitation::Invitation) -> Call,
    ) -> anyhow::Result<VecDeque<Call>> {
        let mut calls = VecDeque::new();
        while calls.len() < wanted && self.listed < self.network.members() {
            let request = invitation::ListInvitationsRequest {
                member_id: id(self.network.anybody(self.listed)),
                r#box: invitation::InvitationBox::Received.into(),
                page_size: PREPARING_PAGE,
                ..Default::default()
            };
            self.listed += 1;
            let answer = self.clients.invitations.list_invitations(request).await;
            let answer = answer.context("preparing calls")?.into_inner();
            calls.extend(answer.invitations.into_iter().map(&call));
        }
        Ok(scattered(calls))
    }

    async fn connected(
        &mut self,
        wanted: usize,
        call: impl Fn(String, String) -> Call,
    ) -> anyhow::Result<VecDeque<Call>> {
        let mut calls = VecDeque::new();
        while calls.len() < wanted && self.listed < self.network.members() {
            let member = id(self.network.anybody(self.listed));
            let request = connection::ListConnectionsRequest {
                member_id: member.clone(),
                page_size: PREPARING_PAGE,
                ..Default::default()
            };
            self.listed += 1;
            let answer = self.clients.connections.list_connections(request).await;
            let found = answer.context("preparing calls")?.into_inner().connections;
            // Each connection is in two lists.
            let others = found.into_iter().map(|line| line.other_id);
            calls.extend(
                others
                    .filter(|other| *other > member)
                    .map(|other| call(member.clone(), other)),
            );
        }
        Ok(scattered(calls))
    }

    /// First pages of popular members' connections. The last who joined have too few of them: whom they invited has not answered yet.
    /// Every other member is one who notes nothing, and then one of [`NOTED_MEMBERS`] who do.
    async fn full_pages(
        &mut self,
        noted: bool,
        page_size: i32,
        order: ConnectionOrder,
    ) -> anyhow::Result<VecDeque<Call>> {
        let mut calls = VecDeque::new();
        let numbers = (0..self.network.populars()).filter(|number| (number % 2 == 1) == noted);
        let most = if noted { NOTED_MEMBERS } else { usize::MAX };
        for number in numbers {
            if calls.len() >= most {
                break;
            }
            let request = connection::ListConnectionsRequest {
                member_id: id(self.network.popular(number)),
                page_size,
                order: order.into(),
                ..Default::default()
            };
            let answer = self.clients.connections.list_connections(request.clone());
            let answer = answer.await.context("preparing calls")?.into_inner();
            if i32::try_from(answer.connections.len()) == Ok(page_size) {
                calls.push_back(Call::Connections(request));
            }
        }
        Ok(calls)
    }

    /// Pages of the hub's list by last name, from all over it.
    async fn deep_pages(&mut self) -> anyhow::Result<VecDeque<Call>> {
        let mut calls = VecDeque::new();
        let mut request = connection::ListConnectionsRequest {
            member_id: HUB.to_owned(),
            order: ConnectionOrder::LastName.into(),
            page_size: PREPARING_PAGE,
            ..Default::default()
        };
        loop {
            let answer = self.clients.connections.list_connections(request.clone());
            let answer = answer.await.context("preparing calls")?.into_inner();
            if answer.next_page_token.is_empty() {
                return Ok(scattered(calls));
            }
            request.page_token = answer.next_page_token;
            calls.push_back(Call::Connections(connection::ListConnectionsRequest {
                page_size: PAGE,
                ..request.clone()
            }));
        }
    }

    async fn block_to_unblock(&mut self, wanted: usize) -> anyhow::Result<VecDeque<Call>> {
        let numbers = (self.strangers..self.network.strangers()).take(wanted);
        let pairs: Vec<_> = numbers
            .map(|number| self.network.stranger(number))
            .collect();
        self.strangers += u64::try_from(pairs.len())?;
        for together in pairs.chunks(256) {
            let made = together.iter().map(async |pair| {
                let mut clients = self.clients.clone();
                block(*pair).make(&mut clients).await
            });
            futures::future::try_join_all(made)
                .await
                .context("preparing calls")?;
        }
        Ok(pairs.into_iter().map(unblock).collect())
    }
}

/// In an order that has nothing to do with who is concerned.
fn scattered(calls: VecDeque<Call>) -> VecDeque<Call> {
    let mut keyed: Vec<_> = (0_u64..).map(mix).zip(calls).collect();
    keyed.sort_unstable_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, call)| call).collect()
}

fn send(
    number: u64,
    (inviter, invitee): (u64, u64),
    once: bool,
) -> invitation::SendInvitationRequest {
    invitation::SendInvitationRequest {
        inviter_id: id(inviter),
        invitee_id: id(invitee),
        note: note(number).to_owned(),
        request_id: if once {
            Uuid::from_u64_pair(mix(number), mix(!number)).to_string()
        } else {
            String::new()
        },
        ..Default::default()
    }
}

fn crossing(invitation: invitation::Invitation) -> Call {
    Call::Crossing(invitation::SendInvitationRequest {
        inviter_id: invitation.invitee_id,
        invitee_id: invitation.inviter_id,
        ..Default::default()
    })
}

fn accept(invitation: invitation::Invitation) -> Call {
    Call::Accept(invitation::AcceptInvitationRequest {
        invitation_id: invitation.invitation_id,
        member_id: invitation.invitee_id,
    })
}

fn decline(invitation: invitation::Invitation) -> Call {
    Call::Decline(invitation::DeclineInvitationRequest {
        invitation_id: invitation.invitation_id,
        member_id: invitation.invitee_id,
        reason: invitation::DeclineReason::NotNow.into(),
    })
}

fn withdraw(invitation: invitation::Invitation) -> Call {
    Call::Withdraw(invitation::WithdrawInvitationRequest {
        invitation_id: invitation.invitation_id,
        member_id: invitation.inviter_id,
    })
}

fn get(invitation: invitation::Invitation) -> Call {
    Call::Get(invitation::GetInvitationRequest {
        invitation_id: invitation.invitation_id,
        member_id: invitation.invitee_id,
    })
}

fn list(network: &Network, number: u64) -> Call {
    Call::List(invitation::ListInvitationsRequest {
        member_id: id(network.popular(number)),
        r#box: invitation::InvitationBox::Received.into(),
        page_size: PAGE,
        ..Default::default()
    })
}

/// What people type: the beginning of somebody's first name, and the first letter of a common last name.
fn search(number: u64) -> Call {
    let [first_name, ..] = card(mix(number));
    let beginning: String = first_name.chars().take(3).collect();
    Call::Connections(connection::ListConnectionsRequest {
        member_id: HUB.to_owned(),
        query: format!("{beginning} se"),
        page_size: PAGE,
        ..Default::default()
    })
}

/// About others who joined soon after: some of them have been invited.
fn states(network: &Network, number: u64) -> Call {
    let member = network.anybody(number);
    let others = (1..=50).map(|nth| id((member + nth) % network.members()));
    Call::States(invitation::BatchGetInvitationStatesRequest {
        member_id: id(member),
        other_ids: others.collect(),
    })
}

/// With others anywhere.
fn relationship(member_id: String, other_id: String) -> Call {
    Call::Relationship(connection::GetRelationshipRequest {
        member_id,
        other_id,
    })
}

fn remove(member_id: String, other_id: String) -> Call {
    Call::Remove(connection::RemoveConnectionRequest {
        member_id,
        other_id,
        connect_time: None,
    })
}

fn block((member, other): (u64, u64)) -> Call {
    Call::Block(connection::BlockMemberRequest {
        member_id: id(member),
        other_id: id(other),
    })
}

fn unblock((member, other): (u64, u64)) -> Call {
    Call::Unblock(connection::UnblockMemberRequest {
        member_id: id(member),
        other_id: id(other),
    })
}

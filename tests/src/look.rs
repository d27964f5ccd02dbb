//! Everything that both services tell two members of each other, and whether it agrees.
//!
//! Deliberately absent: what ought to be there. That is the tests'.

use acquaint_proto::{
    connection::v1::{GetRelationshipRequest, ListConnectionsRequest, RelationshipStatus},
    invitation::v1::{
        BatchGetInvitationStatesRequest, CountInvitationsResponse, Invitation, InvitationBox,
        InvitationQuota, PairInvitation, PairInvitationState,
    },
};

use crate::pair::Pair;

/// What both services tell one member, above all of one other.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Who is told.
    pub member: String,
    /// Of whom.
    pub other: String,
    /// What they are to each other.
    pub relationship: RelationshipStatus,
    /// Whom the member is connected with, newest first.
    pub connected: Vec<String>,
    /// How many connections the member has.
    pub connections: i32,
    /// The list SENT.
    pub sent: Vec<Invitation>,
    /// The list RECEIVED.
    pub received: Vec<Invitation>,
    /// The list FILTERED.
    pub filtered: Vec<Invitation>,
    /// How many the lists hold.
    pub counts: CountInvitationsResponse,
    /// What the member has used of their limits.
    pub quota: InvitationQuota,
    /// Whose invitation stands between the two.
    pub between: PairInvitation,
}

impl Told {
    /// Asks both services.
    pub async fn to(pair: &Pair, member: &str, other: &str) -> Self {
        let relationship = GetRelationshipRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
        };
        let listing = ListConnectionsRequest {
            member_id: member.to_owned(),
            page_size: 1_000,
            ..Default::default()
        };
        let states = BatchGetInvitationStatesRequest {
            member_id: member.to_owned(),
            other_ids: vec![other.to_owned()],
        };
        let (mut connections, mut connections_too) =
            (pair.connections.clone(), pair.connections.clone());
        let mut invitations = pair.invitations.clone();
        let (relationship, listing, states, sent, received, filtered, counts, quota) = tokio::join!(
            connections.get_relationship(relationship),
            connections_too.list_connections(listing),
            invitations.batch_get_invitation_states(states),
            pair.list(member, InvitationBox::Sent),
            pair.list(member, InvitationBox::Received),
            pair.list(member, InvitationBox::Filtered),
            pair.counts(member),
            pair.quota(member),
        );
        let listing = listing.unwrap().into_inner();
        let connected = listing.connections.into_iter();
        Self {
            member: member.to_owned(),
            other: other.to_owned(),
            relationship: relationship
                .unwrap()
                .into_inner()
                .relationship
                .unwrap()
                .status(),
            connected: connected.map(|connection| connection.other_id).collect(),
            connections: listing.total_size,
            sent,
            received,
            filtered,
            counts,
            quota,
            between: states.unwrap().into_inner().states.remove(0),
        }
    }

    /// Whether the two are connected.
    pub fn is_connected(&self) -> bool {
        self.relationship == RelationshipStatus::Connected
    }

    /// Whether no list of invitations holds anything.
    pub fn has_empty_lists(&self) -> bool {
        self.sent.is_empty() && self.received.is_empty() && self.filtered.is_empty()
    }

    /// The live invitation between the two in this member's lists: its id, and whether the member sent it.
    fn live(&self) -> Option<(&str, bool)> {
        let sent = self.sent.iter().filter(|one| one.invitee_id == self.other);
        let received = self.received.iter().chain(&self.filtered);
        let received = received.filter(|one| one.inviter_id == self.other);
        let mut live = sent
            .map(|one| (one.invitation_id.as_str(), true))
            .chain(received.map(|one| (one.invitation_id.as_str(), false)));
        let first = live.next();
        assert_eq!(live.next(), None, "two live invitations: {self:#?}");
        first
    }

    /// What one member is told contradicts itself.
    fn contradiction(&self) -> Option<&'static str> {
        let is = |list: &[Invitation], count: i32| Ok(count) == i32::try_from(list.len());
        let state = match self.live() {
            None => (PairInvitationState::None, ""),
            Some((id, true)) => (PairInvitationState::Sent, id),
            Some((id, false)) => (PairInvitationState::Received, id),
        };
        let unseen = self.received.iter().filter(|one| one.seen == Some(false));
        let checks = [
            (is(&self.sent, self.counts.sent_pending), "sent_pending"),
            (
                is(&self.sent, self.quota.pending_sent),
                "quota.pending_sent",
            ),
            (
                is(&self.received, self.counts.received_pending),
                "received_pending",
            ),
            (
                is(&self.filtered, self.counts.filtered_pending),
                "filtered_pending",
            ),
            (
                Ok(self.counts.received_unseen) == i32::try_from(unseen.count()),
                "received_unseen",
            ),
            (
                self.quota.remaining == (self.quota.weekly_cap - self.quota.used).max(0),
                "quota.remaining",
            ),
            (
                Ok(self.connections) == i32::try_from(self.connected.len()),
                "total_size of connections",
            ),
            (
                self.is_connected() == self.connected.contains(&self.other),
                "relationship and list of connections",
            ),
            (
                state == (self.between.state(), self.between.invitation_id.as_str()),
                "state of the pair and lists",
            ),
            (
                !(self.is_connected() && self.live().is_some()),
                "connected with a live invitation",
            ),
            (
                self.relationship != RelationshipStatus::Blocked || self.live().is_none(),
                "blocked with a live invitation",
            ),
        ];
        checks
            .into_iter()
            .find_map(|(holds, what)| (!holds).then_some(what))
    }
}

/// What both services tell two members of each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Both {
    /// One.
    pub one: Told,
    /// The other.
    pub other: Told,
}

impl Both {
    /// Asks both services about two members. While things move the answers may contradict each other.
    pub async fn of(pair: &Pair, one: &str, other: &str) -> Self {
        let (told_one, told_other) = (Told::to(pair, one, other), Told::to(pair, other, one));
        let (one, other) = tokio::join!(Box::pin(told_one), Box::pin(told_other));
        Self { one, other }
    }

    /// Asks both services about two members when nothing moves; fails when the answers contradict each other.
    pub async fn at_rest(pair: &Pair, one: &str, other: &str) -> Self {
        let both = Self::of(pair, one, other).await;
        assert_eq!(both.contradiction(), None, "{both:#?}");
        both
    }

    /// What the two are told contradicts itself.
    pub fn contradiction(&self) -> Option<&'static str> {
        let Self { one, other } = self;
        let own = one.contradiction().or_else(|| other.contradiction());
        let live = |told: &Told| told.live().map(|(id, sent)| (id.to_owned(), sent));
        let mirrored = live(other).map(|(id, sent)| (id, !sent));
        let between = (one.is_connected() != other.is_connected())
            .then_some("connected for one only")
            .or_else(|| (live(one) != mirrored).then_some("a live invitation for one only"));
        own.or(between)
    }

    /// Whether the two are connected, for both of them.
    pub fn are_connected(&self) -> bool {
        self.one.is_connected() && self.other.is_connected()
    }

    /// Whether no list of invitations of either holds anything.
    pub fn have_empty_lists(&self) -> bool {
        self.one.has_empty_lists() && self.other.has_empty_lists()
    }
}

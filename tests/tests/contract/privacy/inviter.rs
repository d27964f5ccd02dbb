//! An inviter whose invitation ends, and every byte that reaches them before and after.
//!
//! Deliberately absent: what is expected of them.

use acquaint_proto::{
    connection::v1 as connection,
    invitation::v1::{
        self as wire, DeclineReason, InvitationBox, SendInvitationRequest,
        member_invitation_event::Change,
    },
};
use acquaint_tests::{pair::Pair, wait::eventually};
use prost::Message;

use super::{Watch, erase};
use crate::wire::{Answer, Wire, rename};

/// An inviter, whom they invited, and what came of it.
pub(super) struct Case {
    pub(super) how: &'static str,
    inviter: String,
    invitee: String,
    /// Somebody whom the inviter invites afterwards.
    other: String,
    id: String,
    /// The invitation to them.
    other_id: String,
    request_id: String,
    watch: Watch,
    /// What it was, and its bytes.
    pub(super) seen: Vec<(&'static str, Vec<u8>)>,
}

impl Case {
    pub(super) async fn start(pair: &Pair, number: usize, how: &'static str) -> Self {
        let mut case = Self {
            how,
            inviter: format!("inviter-{number}"),
            invitee: format!("invitee-{number}"),
            other: format!("other-{number}"),
            id: String::new(),
            other_id: String::new(),
            request_id: format!("0198c0de-0000-7000-8000-00000000000{number}"),
            watch: Watch::of(pair, &format!("inviter-{number}")).await,
            seen: Vec::new(),
        };
        let sent = pair.send_with(case.request("hello")).await.unwrap();
        case.id = sent.invitation.unwrap().invitation_id;
        case.next_event().await;
        case
    }

    fn request(&self, note: &str) -> SendInvitationRequest {
        SendInvitationRequest {
            inviter_id: self.inviter.clone(),
            invitee_id: self.invitee.clone(),
            note: note.to_owned(),
            source: "search".to_owned(),
            request_id: self.request_id.clone(),
        }
    }

    pub(super) async fn end(&self, pair: &Pair) {
        let decline = async |reason| {
            pair.decline(&self.invitee, &self.id, reason).await.unwrap();
        };
        match self.how {
            "decline" => decline(DeclineReason::NotNow).await,
            "report" => decline(DeclineReason::Spam).await,
            "block" => pair.block(&self.invitee, &self.inviter).await.unwrap(),
            _ => erase(pair, &self.invitee).await,
        }
        eventually("the invitation is gone", || async {
            pair.get(&self.inviter, &self.id).await.err()
        })
        .await;
    }

    /// Notes what was seen, with the names by which the cases differ taken out.
    fn note(&mut self, what: &'static str, bytes: &[u8]) {
        let names = [
            (self.inviter.as_str(), "inviter-x"),
            (&self.invitee, "invitee-x"),
            (&self.other, "other-x"),
            (&self.request_id, "00000000-0000-0000-0000-000000000000"),
            (&self.id, "iiiiiiii-iiii-iiii-iiii-iiiiiiiiiiii"),
            (&self.other_id, "jjjjjjjj-jjjj-jjjj-jjjj-jjjjjjjjjjjj"),
        ];
        let known: Vec<_> = names
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .collect();
        let bytes = rename(bytes, &known);
        self.seen.push((what, bytes));
    }

    async fn call(&mut self, wire: &Wire, method: &'static str, request: &impl Message) -> Answer {
        let answer = wire.call(method, request).await;
        let mut all = format!("{:?} {:?} ", answer.headers, answer.trailers).into_bytes();
        all.extend_from_slice(&answer.body);
        self.note(method, &all);
        answer
    }

    pub(super) async fn next_event(&mut self) -> Option<Change> {
        let (event, token) = self.watch.next().await;
        let mut bytes = event.encode_to_vec();
        bytes.extend(token.to_be_bytes());
        self.note("WatchInvitations", &bytes);
        event.change
    }

    pub(super) async fn look(&mut self, wire: &Wire) {
        let member_id = || self.inviter.clone();
        let states = wire::BatchGetInvitationStatesRequest {
            member_id: member_id(),
            other_ids: vec![self.invitee.clone()],
        };
        let get = wire::GetInvitationRequest {
            invitation_id: self.id.clone(),
            member_id: member_id(),
        };
        let count = wire::CountInvitationsRequest {
            member_id: member_id(),
        };
        let quota = wire::GetInvitationQuotaRequest {
            member_id: member_id(),
        };
        let bars = wire::ListBarredInvitersRequest {
            member_id: member_id(),
            ..Default::default()
        };
        let relationship = connection::GetRelationshipRequest {
            member_id: member_id(),
            other_id: self.invitee.clone(),
        };
        let connections = connection::ListConnectionsRequest {
            member_id: member_id(),
            ..Default::default()
        };
        let list = |list: InvitationBox, order| wire::ListInvitationsRequest {
            member_id: self.inviter.clone(),
            r#box: list.into(),
            order,
            include_recently_withdrawn: list == InvitationBox::Sent,
            ..Default::default()
        };
        let lists = [
            list(InvitationBox::Sent, 1),
            list(InvitationBox::Sent, 2),
            list(InvitationBox::Received, 1),
            list(InvitationBox::Filtered, 1),
        ];
        self.call(wire, "GetInvitation", &get).await;
        self.call(wire, "BatchGetInvitationStates", &states).await;
        for list in lists {
            self.call(wire, "ListInvitations", &list).await;
        }
        self.call(wire, "CountInvitations", &count).await;
        self.call(wire, "GetInvitationQuota", &quota).await;
        self.call(wire, "ListBarredInviters", &bars).await;
        self.call(wire, "GetRelationship", &relationship).await;
        self.call(wire, "ListConnections", &connections).await;
    }

    pub(super) async fn act(&mut self, wire: &Wire) {
        let member_id = || self.inviter.clone();
        let invitation_id = || self.id.clone();
        let named = |dry_run| wire::BatchWithdrawInvitationsRequest {
            member_id: self.inviter.clone(),
            selection: Some(
                wire::batch_withdraw_invitations_request::Selection::InvitationIds(
                    wire::InvitationIds {
                        invitation_ids: vec![self.id.clone()],
                    },
                ),
            ),
            dry_run,
        };
        let by_filter = wire::BatchWithdrawInvitationsRequest {
            member_id: member_id(),
            selection: Some(wire::batch_withdraw_invitations_request::Selection::Filter(
                wire::SentFilter::default(),
            )),
            dry_run: false,
        };
        let withdraw = wire::WithdrawInvitationRequest {
            invitation_id: invitation_id(),
            member_id: member_id(),
        };
        let undo = wire::UndoDeclineRequest {
            invitation_id: invitation_id(),
            member_id: member_id(),
        };
        let (foreseen, done) = (named(true), named(false));
        self.call(wire, "BatchWithdrawInvitations", &foreseen).await;
        self.call(wire, "BatchWithdrawInvitations", &done).await;
        self.call(wire, "BatchWithdrawInvitations", &by_filter)
            .await;
        self.call(wire, "WithdrawInvitation", &withdraw).await;
        self.call(wire, "UndoDecline", &undo).await;
    }

    pub(super) async fn send_again(&mut self, wire: &Wire) {
        let (repeated, reused) = (self.request("hello"), self.request("another"));
        self.call(wire, "SendInvitation", &repeated).await;
        self.call(wire, "SendInvitation", &reused).await;
        let anew = SendInvitationRequest {
            request_id: String::new(),
            ..self.request("hello")
        };
        self.call(wire, "SendInvitation", &anew).await;
        let other = SendInvitationRequest {
            invitee_id: self.other.clone(),
            ..anew
        };
        let answer = self.call(wire, "SendInvitation", &other).await;
        let (what, bytes) = self.seen.pop().unwrap();
        let sent: wire::SendInvitationResponse = answer.message();
        self.other_id = sent.invitation.unwrap().invitation_id;
        self.note(what, &bytes);
        // What came in between would come before it.
        let Some(Change::Listed(listed)) = self.watch.next().await.0.change else {
            panic!("{}: something came in between", self.how);
        };
        assert_eq!(
            listed.invitation.unwrap().invitation_id,
            self.other_id,
            "{}",
            self.how
        );
    }

    pub(super) async fn block_back(&mut self, wire: &Wire) {
        let (member_id, other_id) = (self.inviter.clone(), self.invitee.clone());
        let block = connection::BlockMemberRequest {
            member_id: member_id.clone(),
            other_id: other_id.clone(),
        };
        let list = connection::ListBlockedMembersRequest {
            member_id: member_id.clone(),
            ..Default::default()
        };
        let unblock = connection::UnblockMemberRequest {
            member_id,
            other_id,
        };
        self.call(wire, "BlockMember", &block).await;
        self.call(wire, "ListBlockedMembers", &list).await;
        let anew = SendInvitationRequest {
            request_id: String::new(),
            ..self.request("")
        };
        self.call(wire, "SendInvitation", &anew).await;
        self.call(wire, "UnblockMember", &unblock).await;
    }
}

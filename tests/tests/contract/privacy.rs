//! What must not be told: answers that must not differ are compared byte for byte, with their headers and trailers.
//!
//! Deliberately absent: how long an answer takes.

mod canary;
mod connected;
mod endings;
mod erased;
mod inviter;
mod masked;
mod network;
mod not_found;
mod noted;
mod shown;

use std::time::Duration;

use acquaint_proto::invitation::v1::{
    InvitationPreferences, MemberInvitationEvent, UpdateInvitationPreferencesRequest,
    WatchInvitationsRequest, WatchInvitationsResponse, WhoCanInvite,
    watch_invitations_request::Scope, watch_invitations_response::Content,
};
use acquaint_tests::{pair::Pair, wait::eventually};
use prost_types::FieldMask;
use tonic::{Status, Streaming};

/// How long the next event may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A member's stream of invitations.
struct Watch(Streaming<WatchInvitationsResponse>);

impl Watch {
    /// From now on.
    async fn of(pair: &Pair, member: &str) -> Self {
        let request = WatchInvitationsRequest {
            scope: Some(Scope::MemberId(member.to_owned())),
            resume_token: String::new(),
        };
        let stream = pair.invitations.clone().watch_invitations(request).await;
        let mut stream = stream.unwrap().into_inner();
        let first = stream.message().await.unwrap().unwrap();
        assert!(matches!(first.content, Some(Content::Heartbeat(_))));
        Self(stream)
    }

    /// The next event, with the length of its token, which must say nothing either.
    async fn next(&mut self) -> (MemberInvitationEvent, usize) {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.message()).await;
            let message = message.expect("an event").unwrap().unwrap();
            match message.content.unwrap() {
                Content::Heartbeat(_) => {}
                Content::MemberEvent(event) => return (event, message.resume_token.len()),
                Content::Event(event) => panic!("of another scope: {event:?}"),
            }
        }
    }
}

/// Lets nobody invite a member any more.
pub(crate) async fn close(pair: &Pair, member: &str) {
    close_if_allowed(pair, member).await.unwrap();
}

/// Lets nobody invite a member any more, unless that is refused.
async fn close_if_allowed(pair: &Pair, member: &str) -> Result<(), Status> {
    let wish = WhoCanInvite::Nobody;
    prefer(pair, member, wish).await
}

/// Sets who may invite a member.
pub(crate) async fn prefer(pair: &Pair, member: &str, who: WhoCanInvite) -> Result<(), Status> {
    let request = UpdateInvitationPreferencesRequest {
        member_id: member.to_owned(),
        preferences: Some(InvitationPreferences {
            who_can_invite: who.into(),
            auto_withdraw_after: None,
        }),
        update_mask: Some(FieldMask {
            paths: vec!["who_can_invite".to_owned()],
        }),
    };
    let mut invitations = pair.invitations.clone();
    invitations
        .update_invitation_preferences(request)
        .await
        .map(drop)
}

/// Erases a member and waits until nothing is left to do.
pub(crate) async fn erase(pair: &Pair, member: &str) {
    eventually("the erasure is complete", || async {
        pair.erase(member).await.then_some(())
    })
    .await;
}

//! `WatchInvitations` on the wire.

use acquaint_proto::invitation::v1::{
    self as wire,
    member_invitation_event::{Change, Gone, Listed, Seen},
    watch_invitations_request::Scope as ScopeField,
    watch_invitations_response::{Content as ContentField, Heartbeat},
};
use futures::StreamExt as _;
use service_kit::{auth::Caller, fields, id::MemberId, status::FieldViolations};
use tonic::Status;

use super::{Edge, InvitationService, convert};
use crate::{
    domain::invitation::Happening,
    store::{
        feed::{MemberChange, ServiceEvent},
        rows::EventKind,
    },
    usecase::watch_invitations::{self, Content, Message, Scope},
};

impl Edge {
    pub(super) async fn watch(
        &self,
        request: wire::WatchInvitationsRequest,
        caller: Caller,
    ) -> Result<<Self as InvitationService>::WatchInvitationsStream, Status> {
        match request.scope {
            Some(ScopeField::MemberId(_)) => caller.may_watch_member()?,
            Some(ScopeField::AllMembers(_)) => caller.may_watch_all()?,
            None => {}
        }
        let mut fields = FieldViolations::new();
        let Some(scope) = read_scope(&mut fields, request.scope) else {
            return Err(fields::invalid(fields));
        };
        let resume = self.tokens.read_resume(&scope, &request.resume_token);
        let resume = resume.map_err(|failure| self.failed(failure))?;
        let messages = watch_invitations::run(&self.context, scope.clone(), resume).await;
        let messages = messages.map_err(|failure| self.failed(failure))?;
        let edge = self.clone();
        let answers = messages.map(move |message| match message {
            Ok(message) => Ok(edge.to_message(&scope, message)),
            Err(failure) => Err(service_kit::status::logged(edge.failed(failure))),
        });
        Ok(Box::pin(answers))
    }

    fn to_message(&self, scope: &Scope, message: Message) -> wire::WatchInvitationsResponse {
        wire::WatchInvitationsResponse {
            resume_token: self.tokens.resume(scope, message.reached),
            content: Some(match message.content {
                Content::Heartbeat => ContentField::Heartbeat(Heartbeat {}),
                Content::Member(change) => ContentField::MemberEvent(to_member_event(change)),
                Content::Event(event) => ContentField::Event(to_event(event)),
            }),
        }
    }
}

fn read_scope(fields: &mut FieldViolations, scope: Option<ScopeField>) -> Option<Scope> {
    match scope {
        Some(ScopeField::MemberId(member)) => {
            fields::member_id(fields, "member_id", &member).map(Scope::Member)
        }
        Some(ScopeField::AllMembers(true)) => Some(Scope::AllMembers),
        Some(ScopeField::AllMembers(false)) => {
            fields.push("all_members", "must be true");
            None
        }
        None => {
            fields.push("scope", "member_id or all_members must be given");
            None
        }
    }
}

fn to_member_event(change: MemberChange) -> wire::MemberInvitationEvent {
    let change = match change {
        MemberChange::Listed(view) => Change::Listed(Listed {
            r#box: convert::to_box(view.place).into(),
            invitation: Some(convert::to_invitation(view)),
        }),
        MemberChange::Gone(id) => Change::Gone(Gone {
            invitation_id: id.to_string(),
        }),
        MemberChange::Seen(until) => Change::Seen(Seen {
            until_invitation_id: until.to_string(),
        }),
    };
    wire::MemberInvitationEvent {
        change: Some(change),
    }
}

fn to_event(event: ServiceEvent) -> wire::InvitationEvent {
    let ServiceEvent { event, notify } = event;
    let name =
        |member: Option<MemberId>| member.map_or_else(String::new, |member| member.to_string());
    wire::InvitationEvent {
        kind: to_kind(event.kind).into(),
        event_time: Some(fields::timestamp(event.time)),
        invitation_id: event.invitation_id.to_string(),
        inviter_id: name(event.inviter),
        invitee_id: name(event.invitee),
        notify: notify.iter().map(MemberId::to_string).collect(),
    }
}

fn to_kind(kind: EventKind) -> wire::InvitationEventKind {
    match kind {
        EventKind::Step(happening) => match happening {
            Happening::Sent => wire::InvitationEventKind::Sent,
            Happening::Accepting => wire::InvitationEventKind::Accepting,
            Happening::Returned => wire::InvitationEventKind::Returned,
            Happening::Accepted => wire::InvitationEventKind::Accepted,
            Happening::Declined => wire::InvitationEventKind::Declined,
            Happening::DeclineUndone => wire::InvitationEventKind::DeclineUndone,
            Happening::Withdrawn => wire::InvitationEventKind::Withdrawn,
            Happening::Expired => wire::InvitationEventKind::Expired,
            Happening::Ended | Happening::Forgotten => wire::InvitationEventKind::Ended,
        },
        // Neither is shown to services.
        EventKind::Seen | EventKind::Blank => wire::InvitationEventKind::Unspecified,
    }
}

//! `ConnectionService` on the wire.
//!
//! Deliberately absent: what the methods do (see `usecase`).

use std::pin::Pin;

use acquaint_proto::connection::v1::connection_service_server::ConnectionService;
use acquaint_proto::connection::v1::watch_connections_request::Scope as ScopeField;
use acquaint_proto::connection::v1::watch_connections_response::{
    Content as ContentField, Heartbeat,
};
use acquaint_proto::connection::v1::{
    BatchGetRelationshipsRequest, BatchGetRelationshipsResponse, BatchRemoveConnectionsRequest,
    BatchRemoveConnectionsResponse, Connection, ConnectionEvent, ConnectionEventKind,
    DeleteLabelRequest, DeleteLabelResponse, DismissSuggestionRequest, DismissSuggestionResponse,
    ExportConnectionsRequest, ExportConnectionsResponse, GetRelationshipRequest,
    GetRelationshipResponse, ImportConnectionsRequest, ImportConnectionsResponse,
    ListConnectionsRequest, ListConnectionsResponse, ListLabelsRequest, ListLabelsResponse,
    ListMutualConnectionsRequest, ListMutualConnectionsResponse, MemberConnectionEvent,
    RemoveConnectionRequest, RemoveConnectionResponse, RenameLabelRequest, RenameLabelResponse,
    SuggestConnectionsRequest, SuggestConnectionsResponse, UpdateConnectionRequest,
    UpdateConnectionResponse, WatchConnectionsRequest, WatchConnectionsResponse,
    member_connection_event,
};
use futures::{Stream, StreamExt as _};
use service_kit::auth::Caller;
use service_kit::deadline::within;
use service_kit::fields;
use service_kit::id::MemberId;
use service_kit::status::FieldViolations;
use service_kit::time::Time;
use tonic::{Request, Response, Status, Streaming};

use super::{Edge, status};
use crate::domain::list_change::ListChange;
use crate::usecase::watch_connections::{self, Content, Message, Scope};
use crate::usecase::{Failure, remove_connection};

/// How many others a look-up may count connections in common with.
const COUNTED_MAX: usize = 50;

#[tonic::async_trait]
impl ConnectionService for Edge {
    async fn get_relationship(
        &self,
        request: Request<GetRelationshipRequest>,
    ) -> Result<Response<GetRelationshipResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let member = fields::member_id(&mut fields, "member_id", &request.member_id);
            let other = fields::member_id(&mut fields, "other_id", &request.other_id);
            let (Some(member), Some(other)) = (member, other) else {
                return Err(fields::invalid(fields));
            };
            let mut found = self.relationships(member, vec![other], true).await?;
            Ok(GetRelationshipResponse {
                relationship: found.pop(),
            })
        })
        .await
    }

    async fn batch_get_relationships(
        &self,
        request: Request<BatchGetRelationshipsRequest>,
    ) -> Result<Response<BatchGetRelationshipsResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let member = fields::member_id(&mut fields, "member_id", &request.member_id);
            let max = self.requests().lookup_members_max;
            let others = fields::member_ids(&mut fields, "other_ids", &request.other_ids, max);
            let counted = request.with_mutual_counts;
            if counted && request.other_ids.len() > COUNTED_MAX {
                let rule = format!("must be at most {COUNTED_MAX} with_mutual_counts");
                fields.push("other_ids", rule);
                return Err(fields::invalid(fields));
            }
            let (Some(member), Some(others)) = (member, others) else {
                return Err(fields::invalid(fields));
            };
            let relationships = self.relationships(member, others, counted).await?;
            Ok(BatchGetRelationshipsResponse { relationships })
        })
        .await
    }

    async fn list_connections(
        &self,
        request: Request<ListConnectionsRequest>,
    ) -> Result<Response<ListConnectionsResponse>, Status> {
        within(request, |request, _| self.list(request)).await
    }

    async fn remove_connection(
        &self,
        request: Request<RemoveConnectionRequest>,
    ) -> Result<Response<RemoveConnectionResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let member = fields::member_id(&mut fields, "member_id", &request.member_id);
            let other = fields::member_id(&mut fields, "other_id", &request.other_id);
            let only = fields::optional_time(&mut fields, "connect_time", request.connect_time);
            let (Some(member), Some(other), Some(only)) = (member, other, only) else {
                return Err(fields::invalid(fields));
            };
            let done = remove_connection::run(self.context(), &member, &other, only).await;
            done.map_err(|failure| status::of(&failure))?;
            Ok(RemoveConnectionResponse {})
        })
        .await
    }

    async fn batch_remove_connections(
        &self,
        request: Request<BatchRemoveConnectionsRequest>,
    ) -> Result<Response<BatchRemoveConnectionsResponse>, Status> {
        within(request, |request, _| self.remove_many(request)).await
    }

    async fn update_connection(
        &self,
        request: Request<UpdateConnectionRequest>,
    ) -> Result<Response<UpdateConnectionResponse>, Status> {
        within(request, |request, _| self.update(request)).await
    }

    async fn list_labels(
        &self,
        request: Request<ListLabelsRequest>,
    ) -> Result<Response<ListLabelsResponse>, Status> {
        within(request, |request, _| self.labels(request)).await
    }

    async fn rename_label(
        &self,
        request: Request<RenameLabelRequest>,
    ) -> Result<Response<RenameLabelResponse>, Status> {
        within(request, |request, _| self.rename(request)).await
    }

    async fn delete_label(
        &self,
        request: Request<DeleteLabelRequest>,
    ) -> Result<Response<DeleteLabelResponse>, Status> {
        within(request, |request, _| self.delete(request)).await
    }

    async fn import_connections(
        &self,
        request: Request<Streaming<ImportConnectionsRequest>>,
    ) -> Result<Response<ImportConnectionsResponse>, Status> {
        self.import(request.into_inner()).await.map(Response::new)
    }

    type ExportConnectionsStream =
        Pin<Box<dyn Stream<Item = Result<ExportConnectionsResponse, Status>> + Send>>;

    async fn export_connections(
        &self,
        request: Request<ExportConnectionsRequest>,
    ) -> Result<Response<Self::ExportConnectionsStream>, Status> {
        within(request, |request, _| async move {
            let all = self.export_all_connections(request).await?;
            Ok(Box::pin(all) as Self::ExportConnectionsStream)
        })
        .await
    }

    async fn list_mutual_connections(
        &self,
        request: Request<ListMutualConnectionsRequest>,
    ) -> Result<Response<ListMutualConnectionsResponse>, Status> {
        within(request, |request, _| self.mutual_page(request)).await
    }

    async fn suggest_connections(
        &self,
        request: Request<SuggestConnectionsRequest>,
    ) -> Result<Response<SuggestConnectionsResponse>, Status> {
        within(request, |request, _| self.suggestion_page(request)).await
    }

    async fn dismiss_suggestion(
        &self,
        request: Request<DismissSuggestionRequest>,
    ) -> Result<Response<DismissSuggestionResponse>, Status> {
        within(request, |request, _| self.dismiss(request)).await
    }

    type WatchConnectionsStream =
        Pin<Box<dyn Stream<Item = Result<WatchConnectionsResponse, Status>> + Send>>;

    async fn watch_connections(
        &self,
        request: Request<WatchConnectionsRequest>,
    ) -> Result<Response<Self::WatchConnectionsStream>, Status> {
        let caller = Caller::of(&request)?;
        within(request, |request, _| async move {
            match request.scope {
                Some(ScopeField::MemberId(_)) => caller.may_watch_member()?,
                Some(ScopeField::AllMembers(_)) => caller.may_watch_all()?,
                None => {}
            }
            let mut fields = FieldViolations::new();
            let Some(scope) = scope(&mut fields, request.scope) else {
                return Err(fields::invalid(fields));
            };
            let resume = self.tokens().read_resume(&scope, &request.resume_token);
            let resume = resume.map_err(|refusal| status::of(&Failure::from(refusal)))?;
            let messages = watch_connections::run(self.context(), scope.clone(), resume).await;
            let messages = messages.map_err(|failure| status::of(&failure))?;
            let edge = self.clone();
            let answers = messages.map(move |message| match message {
                Ok(message) => Ok(edge.answer(&scope, message)),
                Err(failure) => Err(service_kit::status::logged(status::of(&failure))),
            });
            Ok(Box::pin(answers) as Self::WatchConnectionsStream)
        })
        .await
    }
}

impl Edge {
    fn answer(&self, scope: &Scope, message: Message) -> WatchConnectionsResponse {
        WatchConnectionsResponse {
            resume_token: self.tokens().resume(scope, message.place),
            content: Some(match message.content {
                Content::Heartbeat => ContentField::Heartbeat(Heartbeat {}),
                Content::Member(change) => ContentField::MemberEvent(member_event(&change)),
                Content::Event(event) => ContentField::Event(service_event(&event)),
            }),
        }
    }
}

fn scope(fields: &mut FieldViolations, scope: Option<ScopeField>) -> Option<Scope> {
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

/// A connection as events have it, without anything that a member has noted.
fn connection(other: &MemberId, since: Time) -> Connection {
    Connection {
        other_id: other.to_string(),
        connect_time: Some(fields::timestamp(since)),
        ..Connection::default()
    }
}

fn member_event(change: &ListChange) -> MemberConnectionEvent {
    use member_connection_event::{Change, Gone};
    let change = match change.connected {
        Some(since) => Change::Connected(connection(&change.other, since)),
        None => Change::Gone(Gone {
            other_id: change.other.to_string(),
        }),
    };
    MemberConnectionEvent {
        change: Some(change),
    }
}

fn service_event(event: &watch_connections::ConnectionEvent) -> ConnectionEvent {
    let kind = if event.made {
        ConnectionEventKind::Connected
    } else {
        ConnectionEventKind::Removed
    };
    ConnectionEvent {
        kind: kind.into(),
        event_time: Some(fields::timestamp(event.event_time)),
        member_ids: vec![event.key.low().to_string(), event.key.high().to_string()],
        connect_time: Some(fields::timestamp(event.connect_time)),
        imported: event.imported,
    }
}

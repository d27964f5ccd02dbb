//! The edge: the contract's messages to the domain's values and back.
//!
//! [`InvitationService`]'s methods stand here, each in its deadline; what they read from requests and make of answers stands in the file of
//! their kind. Deliberately absent: decisions. Whoever looks for what a method does follows its name into `usecase` or `store`.

mod access;
mod answering;
mod batches;
mod convert;
mod member;
mod own;
mod reading;
mod sending;
pub mod size;
mod standing;
mod status;
mod token;
mod watching;

use std::{pin::Pin, sync::Arc};

use acquaint_proto::invitation::v1::{
    self as wire,
    invitation_service_server::{self, InvitationService, InvitationServiceServer},
    member_service_server::{self, MemberServiceServer},
    standing_service_server::{self, StandingServiceServer},
};
use futures::Stream;
use service_kit::{
    auth::Caller,
    deadline::within,
    fields::RequestOptions,
    server::{Api, ServerOptions},
};
use tonic::{Request, Response, Status, service::RoutesBuilder};

use self::token::Tokens;
use crate::usecase::Context;

pub use access::METHODS;

/// What is served.
pub const API: Api = Api {
    services: &[
        invitation_service_server::SERVICE_NAME,
        standing_service_server::SERVICE_NAME,
        member_service_server::SERVICE_NAME,
    ],
    methods: METHODS,
    descriptor_sets: &[acquaint_proto::FILE_DESCRIPTOR_SET],
};

/// The routes of every service, working with `context`: what one request may ask for is bounded by `requests`, how large messages are by
/// `server`.
pub fn routes(
    context: Arc<Context>,
    requests: RequestOptions,
    server: &ServerOptions,
) -> RoutesBuilder {
    let edge = Edge {
        tokens: Arc::new(Tokens::new(context.store.clone())),
        context,
        requests,
    };
    let mut routes = RoutesBuilder::default();
    routes
        .add_service(
            InvitationServiceServer::new(edge.clone())
                .max_decoding_message_size(server.message_bytes_max)
                .max_encoding_message_size(server.answer_bytes_max),
        )
        .add_service(
            StandingServiceServer::new(edge.clone())
                .max_decoding_message_size(server.message_bytes_max)
                .max_encoding_message_size(server.answer_bytes_max),
        )
        .add_service(
            MemberServiceServer::new(edge)
                .max_decoding_message_size(server.message_bytes_max)
                .max_encoding_message_size(server.answer_bytes_max),
        );
    routes
}

/// What answers the calls. Clones are the same.
#[derive(Clone)]
struct Edge {
    context: Arc<Context>,
    tokens: Arc<Tokens>,
    requests: RequestOptions,
}

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl InvitationService for Edge {
    async fn send_invitation(
        &self,
        request: Request<wire::SendInvitationRequest>,
    ) -> Answer<wire::SendInvitationResponse> {
        within(request, |request, deadline| self.send(request, deadline)).await
    }

    async fn get_invitation(
        &self,
        request: Request<wire::GetInvitationRequest>,
    ) -> Answer<wire::GetInvitationResponse> {
        within(request, |request, _| self.get(request)).await
    }

    async fn batch_get_invitation_states(
        &self,
        request: Request<wire::BatchGetInvitationStatesRequest>,
    ) -> Answer<wire::BatchGetInvitationStatesResponse> {
        within(request, |request, _| self.states(request)).await
    }

    async fn list_invitations(
        &self,
        request: Request<wire::ListInvitationsRequest>,
    ) -> Answer<wire::ListInvitationsResponse> {
        within(request, |request, _| self.list(request)).await
    }

    async fn count_invitations(
        &self,
        request: Request<wire::CountInvitationsRequest>,
    ) -> Answer<wire::CountInvitationsResponse> {
        within(request, |request, _| self.count(request)).await
    }

    async fn mark_invitations_seen(
        &self,
        request: Request<wire::MarkInvitationsSeenRequest>,
    ) -> Answer<wire::MarkInvitationsSeenResponse> {
        within(request, |request, _| self.mark_seen(request)).await
    }

    async fn accept_invitation(
        &self,
        request: Request<wire::AcceptInvitationRequest>,
    ) -> Answer<wire::AcceptInvitationResponse> {
        within(request, |request, deadline| self.accept(request, deadline)).await
    }

    async fn decline_invitation(
        &self,
        request: Request<wire::DeclineInvitationRequest>,
    ) -> Answer<wire::DeclineInvitationResponse> {
        within(request, |request, deadline| self.decline(request, deadline)).await
    }

    async fn undo_decline(
        &self,
        request: Request<wire::UndoDeclineRequest>,
    ) -> Answer<wire::UndoDeclineResponse> {
        within(request, |request, deadline| self.undo(request, deadline)).await
    }

    async fn withdraw_invitation(
        &self,
        request: Request<wire::WithdrawInvitationRequest>,
    ) -> Answer<wire::WithdrawInvitationResponse> {
        within(request, |request, deadline| {
            self.withdraw(request, deadline)
        })
        .await
    }

    async fn batch_withdraw_invitations(
        &self,
        request: Request<wire::BatchWithdrawInvitationsRequest>,
    ) -> Answer<wire::BatchWithdrawInvitationsResponse> {
        within(request, |request, deadline| {
            self.withdraw_many(request, deadline)
        })
        .await
    }

    async fn batch_accept_invitations(
        &self,
        request: Request<wire::BatchAcceptInvitationsRequest>,
    ) -> Answer<wire::BatchAcceptInvitationsResponse> {
        within(request, |request, deadline| {
            self.accept_many(request, deadline)
        })
        .await
    }

    async fn batch_decline_invitations(
        &self,
        request: Request<wire::BatchDeclineInvitationsRequest>,
    ) -> Answer<wire::BatchDeclineInvitationsResponse> {
        within(request, |request, deadline| {
            self.decline_many(request, deadline)
        })
        .await
    }

    async fn check_eligibility(
        &self,
        request: Request<wire::CheckEligibilityRequest>,
    ) -> Answer<wire::CheckEligibilityResponse> {
        within(request, |request, _| self.check_eligibility(request)).await
    }

    async fn get_invitation_quota(
        &self,
        request: Request<wire::GetInvitationQuotaRequest>,
    ) -> Answer<wire::GetInvitationQuotaResponse> {
        within(request, |request, _| self.quota(request)).await
    }

    async fn get_invitation_preferences(
        &self,
        request: Request<wire::GetInvitationPreferencesRequest>,
    ) -> Answer<wire::GetInvitationPreferencesResponse> {
        within(request, |request, _| self.preferences(request)).await
    }

    async fn update_invitation_preferences(
        &self,
        request: Request<wire::UpdateInvitationPreferencesRequest>,
    ) -> Answer<wire::UpdateInvitationPreferencesResponse> {
        within(request, |request, _| self.update_preferences(request)).await
    }

    async fn list_barred_inviters(
        &self,
        request: Request<wire::ListBarredInvitersRequest>,
    ) -> Answer<wire::ListBarredInvitersResponse> {
        within(request, |request, _| self.bars(request)).await
    }

    async fn unbar_inviter(
        &self,
        request: Request<wire::UnbarInviterRequest>,
    ) -> Answer<wire::UnbarInviterResponse> {
        within(request, |request, _| self.unbar(request)).await
    }

    type WatchInvitationsStream =
        Pin<Box<dyn Stream<Item = Result<wire::WatchInvitationsResponse, Status>> + Send>>;

    async fn watch_invitations(
        &self,
        request: Request<wire::WatchInvitationsRequest>,
    ) -> Answer<Self::WatchInvitationsStream> {
        let caller = Caller::of(&request)?;
        within(request, |request, _| self.watch(request, caller)).await
    }
}

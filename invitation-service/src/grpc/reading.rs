//! Look-ups, lists and counts on the wire.

use acquaint_proto::invitation::v1 as wire;
use service_kit::{
    fields::{self, Pages},
    status::FieldViolations,
};
use tonic::Status;

use super::{Edge, convert, standing, status};
use crate::{
    domain::{
        invitation::{Place, Role},
        refusal::Refusal,
    },
    store::{ListOrder, ListQuery, OwnQuota},
    usecase::Failure,
};

impl Edge {
    pub(super) fn failed(&self, failure: impl Into<Failure>) -> Status {
        status::of(&failure.into(), &*self.context.clock)
    }

    pub(super) async fn get(
        &self,
        request: wire::GetInvitationRequest,
    ) -> Result<wire::GetInvitationResponse, Status> {
        let mut fields = FieldViolations::new();
        let named =
            convert::invitation_and_member(&mut fields, &request.invitation_id, &request.member_id);
        let Some((id, member)) = named else {
            return Err(fields::invalid(fields));
        };
        let view = self.context.store.get(member, id).await;
        let view = view.map_err(|error| self.failed(error))?;
        let view = view.ok_or_else(|| self.failed(Refusal::InvitationNotFound))?;
        Ok(wire::GetInvitationResponse {
            invitation: Some(convert::to_invitation(view)),
        })
    }

    pub(super) async fn states(
        &self,
        request: wire::BatchGetInvitationStatesRequest,
    ) -> Result<wire::BatchGetInvitationStatesResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let max = self.requests.lookup_members_max;
        let others = fields::member_ids(&mut fields, "other_ids", &request.other_ids, max);
        let (Some(member), Some(others)) = (member, others) else {
            return Err(fields::invalid(fields));
        };
        if others.contains(&member) {
            return Err(self.failed(Refusal::SelfReference));
        }
        let states = self.context.store.states(member, others.clone()).await;
        let states = states.map_err(|error| self.failed(error))?;
        let states = others.iter().zip(states).map(|(other, state)| {
            let (state, invitation_id) = match state {
                None => (wire::PairInvitationState::None, String::new()),
                Some((Role::Inviter, id)) => (wire::PairInvitationState::Sent, id.to_string()),
                Some((Role::Invitee, id)) => (wire::PairInvitationState::Received, id.to_string()),
            };
            wire::PairInvitation {
                other_id: other.to_string(),
                state: state.into(),
                invitation_id,
            }
        });
        Ok(wire::BatchGetInvitationStatesResponse {
            states: states.collect(),
        })
    }

    pub(super) async fn check_eligibility(
        &self,
        request: wire::CheckEligibilityRequest,
    ) -> Result<wire::CheckEligibilityResponse, Status> {
        let mut fields = FieldViolations::new();
        let inviter = fields::member_id(&mut fields, "inviter_id", &request.inviter_id);
        let max = self.requests.lookup_members_max;
        let invitees = fields::member_ids(&mut fields, "invitee_ids", &request.invitee_ids, max);
        let (Some(inviter), Some(invitees)) = (inviter, invitees) else {
            return Err(fields::invalid(fields));
        };
        let decided = self.context.store.eligibility(inviter, invitees.clone());
        let refusals = decided.await.map_err(|error| self.failed(error))?;
        let refusals = refusals.map_err(|refusal| self.failed(refusal))?;
        let eligibilities = invitees.iter().zip(refusals).map(|(invitee, refusal)| {
            let (reason, retry_time) = refusal.as_ref().map(status::reason).unwrap_or_default();
            wire::Eligibility {
                invitee_id: invitee.to_string(),
                eligible: refusal.is_none(),
                reason: reason.into(),
                retry_time: retry_time.map(fields::timestamp),
            }
        });
        Ok(wire::CheckEligibilityResponse {
            eligibilities: eligibilities.collect(),
        })
    }

    pub(super) async fn list(
        &self,
        request: wire::ListInvitationsRequest,
    ) -> Result<wire::ListInvitationsResponse, Status> {
        let mut fields = FieldViolations::new();
        let Some(mut query) = read_query(&mut fields, self.requests.pages, &request) else {
            return Err(fields::invalid(fields));
        };
        let after = self.tokens.read_list_page(&query, &request.page_token);
        query.after = after.map_err(|failure| self.failed(failure))?;
        let listed = self.context.store.list(query.clone()).await;
        let (views, more) = listed.map_err(|error| self.failed(error))?;
        let next = views.last().filter(|_| more);
        let next_page_token = next.map(|last| self.tokens.list_page(&query, &last.id));
        Ok(wire::ListInvitationsResponse {
            invitations: views.into_iter().map(convert::to_invitation).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        })
    }

    pub(super) async fn count(
        &self,
        request: wire::CountInvitationsRequest,
    ) -> Result<wire::CountInvitationsResponse, Status> {
        let mut fields = FieldViolations::new();
        let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id) else {
            return Err(fields::invalid(fields));
        };
        let counts = self.context.store.counts(member).await;
        let counts = counts.map_err(|error| self.failed(error))?;
        Ok(wire::CountInvitationsResponse {
            received_pending: convert::count(counts.received_pending),
            received_unseen: convert::count(counts.received_unseen),
            filtered_pending: convert::count(counts.filtered_pending),
            sent_pending: convert::count(counts.sent_pending),
        })
    }

    pub(super) async fn quota(
        &self,
        request: wire::GetInvitationQuotaRequest,
    ) -> Result<wire::GetInvitationQuotaResponse, Status> {
        let mut fields = FieldViolations::new();
        let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id) else {
            return Err(fields::invalid(fields));
        };
        let own = self.context.store.quota(member).await;
        let own = own.map_err(|error| self.failed(error))?;
        Ok(to_own_quota(own))
    }
}

/// What a member may know of their limits and standing.
pub(super) fn to_own_quota(own: OwnQuota) -> wire::GetInvitationQuotaResponse {
    let told = own.told;
    wire::GetInvitationQuotaResponse {
        quota: Some(convert::to_quota(&own.quota)),
        plan: own.plan,
        standing: standing::to_level(told.level).into(),
        acceptance_rate: told.figures.rate_percent.map(i32::from),
        flags: standing::to_flags(told.flags),
        restriction: told.restriction.map(standing::to_restriction),
        figures: Some(wire::InvitationFigures {
            figures_time: Some(fields::timestamp(told.figures_time)),
            sent: convert::count(told.figures.sent),
            accepted: convert::count(told.figures.accepted),
            not_accepted: convert::count(told.figures.others),
        }),
    }
}

fn read_query(
    fields: &mut FieldViolations,
    pages: Pages,
    request: &wire::ListInvitationsRequest,
) -> Option<ListQuery> {
    let member = fields::member_id(fields, "member_id", &request.member_id);
    let list = match wire::InvitationBox::try_from(request.r#box) {
        Ok(wire::InvitationBox::Sent) => Some(Place::Sent),
        Ok(wire::InvitationBox::Received) => Some(Place::Received),
        Ok(wire::InvitationBox::Filtered) => Some(Place::Filtered),
        Ok(wire::InvitationBox::Unspecified) | Err(_) => {
            fields.push("box", "must be SENT, RECEIVED or FILTERED");
            None
        }
    };
    let order = match wire::InvitationOrder::try_from(request.order) {
        Ok(wire::InvitationOrder::Unspecified | wire::InvitationOrder::Newest) => {
            Some(ListOrder::Newest)
        }
        Ok(wire::InvitationOrder::Oldest) => Some(ListOrder::Oldest),
        Err(_) => {
            fields.push("order", "must be NEWEST or OLDEST");
            None
        }
    };
    let list = list.filter(|list| {
        let fits = !request.include_recently_withdrawn || *list == Place::Sent;
        if !fits {
            fields.push("include_recently_withdrawn", "goes with the box SENT only");
        }
        fits
    });
    let sent_before = fields::optional_time(fields, "sent_before", request.sent_before);
    let limit = fields::page_size(fields, request.page_size, pages);
    Some(ListQuery {
        member: member?,
        list: list?,
        order: order?,
        include_recently_withdrawn: request.include_recently_withdrawn,
        sent_before: sent_before?,
        after: None,
        limit: usize::try_from(limit?).ok()?,
    })
}

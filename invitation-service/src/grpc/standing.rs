//! What operators see and do of a member's standing, on the wire, and the words for what members are told of it.
//!
//! Deliberately absent: who is an operator; the server asks for the role before a call arrives here.

use acquaint_proto::invitation::v1::{
    self as wire, standing_action, standing_service_server::StandingService,
};
use prost_types::Timestamp;
use service_kit::{
    auth::Caller, deadline::within, fields, id::MemberId, status::FieldViolations, time::Time,
};
use tonic::{Request, Status};

use super::{Answer, Edge, convert::count};
use crate::{
    domain::{
        act::Act,
        plan::WEEKLY_CAP_MAX,
        standing::{Cause, Flag, Flags, Level, Restriction, told::Known},
    },
    store::{RecordedAct, rows::StandingAct},
    usecase::act,
};

#[tonic::async_trait]
impl StandingService for Edge {
    async fn get_standing(
        &self,
        request: Request<wire::GetStandingRequest>,
    ) -> Answer<wire::GetStandingResponse> {
        within(request, |request, _| self.standing(request)).await
    }

    async fn set_weekly_cap(
        &self,
        request: Request<wire::SetWeeklyCapRequest>,
    ) -> Answer<wire::SetWeeklyCapResponse> {
        let author = Caller::of(&request)?.name().to_owned();
        within(request, |request, _| async move {
            let ids = (&*request.member_id, &*request.request_id);
            let act = |fields: &mut _| read_cap(fields, request.weekly_cap);
            self.act(ids, author, act).await?;
            Ok(wire::SetWeeklyCapResponse {})
        })
        .await
    }

    async fn set_member_plan(
        &self,
        request: Request<wire::SetMemberPlanRequest>,
    ) -> Answer<wire::SetMemberPlanResponse> {
        let author = Caller::of(&request)?.name().to_owned();
        within(request, |request, _| async move {
            let ids = (&*request.member_id, &*request.request_id);
            let act = |fields: &mut _| self.read_plan(fields, &request.plan).map(Act::Plan);
            self.act(ids, author, act).await?;
            Ok(wire::SetMemberPlanResponse {})
        })
        .await
    }

    async fn impose_restriction(
        &self,
        request: Request<wire::ImposeRestrictionRequest>,
    ) -> Answer<wire::ImposeRestrictionResponse> {
        let author = Caller::of(&request)?.name().to_owned();
        within(request, |request, _| async move {
            let ids = (&*request.member_id, &*request.request_id);
            let act = |fields: &mut _| self.read_end(fields, request.end_time).map(Act::Restrict);
            self.act(ids, author, act).await?;
            Ok(wire::ImposeRestrictionResponse {})
        })
        .await
    }

    async fn lift_restriction(
        &self,
        request: Request<wire::LiftRestrictionRequest>,
    ) -> Answer<wire::LiftRestrictionResponse> {
        let author = Caller::of(&request)?.name().to_owned();
        within(request, |request, _| async move {
            let ids = (&*request.member_id, &*request.request_id);
            self.act(ids, author, |_| Some(Act::LiftRestriction))
                .await?;
            Ok(wire::LiftRestrictionResponse {})
        })
        .await
    }

    async fn clear_flags(
        &self,
        request: Request<wire::ClearFlagsRequest>,
    ) -> Answer<wire::ClearFlagsResponse> {
        let author = Caller::of(&request)?.name().to_owned();
        within(request, |request, _| async move {
            let ids = (&*request.member_id, &*request.request_id);
            self.act(ids, author, |_| Some(Act::ClearFlags)).await?;
            Ok(wire::ClearFlagsResponse {})
        })
        .await
    }

    async fn list_standing_actions(
        &self,
        request: Request<wire::ListStandingActionsRequest>,
    ) -> Answer<wire::ListStandingActionsResponse> {
        within(request, |request, _| self.actions(request)).await
    }
}

impl Edge {
    /// Does what an operator wishes; `act` reads what that is.
    async fn act(
        &self,
        (member_id, request_id): (&str, &str),
        author: String,
        act: impl FnOnce(&mut FieldViolations) -> Option<Act>,
    ) -> Result<(), Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", member_id);
        let act = act(&mut fields);
        let request_id = match request_id {
            "" => Some(None),
            text => fields::uuid(&mut fields, "request_id", text).map(Some),
        };
        let (Some(member), Some(act), Some(request_id)) = (member, act, request_id) else {
            return Err(fields::invalid(fields));
        };
        let asked = StandingAct {
            author,
            request_id,
            member,
            act,
        };
        let done = act::run(&self.context, asked).await;
        done.map_err(|failure| self.failed(failure))
    }

    fn read_plan(&self, fields: &mut FieldViolations, plan: &str) -> Option<String> {
        let plans: Vec<_> = self.context.policy.plan_names().collect();
        if !plans.contains(&plan) {
            fields.push("plan", format!("must be one of: {}", plans.join(", ")));
            return None;
        }
        Some(plan.to_owned())
    }

    fn read_end(&self, fields: &mut FieldViolations, end: Option<Timestamp>) -> Option<Time> {
        let end = fields::time(fields, "end_time", end)?;
        if end <= self.context.clock.now() {
            fields.push("end_time", "must be later than now");
            return None;
        }
        Some(end)
    }

    async fn standing(
        &self,
        request: wire::GetStandingRequest,
    ) -> Result<wire::GetStandingResponse, Status> {
        let mut fields = FieldViolations::new();
        let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id) else {
            return Err(fields::invalid(fields));
        };
        let known = self.context.store.standing(member).await;
        let known = known.map_err(|error| self.failed(error))?;
        Ok(wire::GetStandingResponse {
            standing: Some(to_standing(&known)),
        })
    }

    async fn actions(
        &self,
        request: wire::ListStandingActionsRequest,
    ) -> Result<wire::ListStandingActionsResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = match request.member_id.as_str() {
            "" => Some(None),
            id => fields::member_id(&mut fields, "member_id", id).map(Some),
        };
        let limit = fields::page_size(&mut fields, request.page_size, self.requests.pages);
        let (Some(member), Some(limit)) = (member, limit) else {
            return Err(fields::invalid(fields));
        };
        let before = self
            .tokens
            .read_acts_page(member.as_ref(), &request.page_token);
        let before = before.map_err(|failure| self.failed(failure))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let acts = self.context.store.acts(member.clone(), before, limit).await;
        let (acts, more) = acts.map_err(|error| self.failed(error))?;
        let next = acts.last().filter(|_| more);
        let next_page_token = next.map(|last| self.tokens.acts_page(member.as_ref(), last.number));
        Ok(wire::ListStandingActionsResponse {
            actions: acts.into_iter().map(to_action).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        })
    }
}

/// A weekly cap to set, or (`None`) to take away.
fn read_cap(fields: &mut FieldViolations, cap: Option<i32>) -> Option<Act> {
    let Some(cap) = cap else {
        return Some(Act::WeeklyCap(None));
    };
    let cap = u32::try_from(cap).ok().filter(|cap| *cap <= WEEKLY_CAP_MAX);
    if cap.is_none() {
        fields.push("weekly_cap", format!("must be 0 to {WEEKLY_CAP_MAX}"));
    }
    cap.map(|cap| Act::WeeklyCap(Some(cap)))
}

fn to_action(recorded: RecordedAct) -> wire::StandingAction {
    use standing_action::Act as Done;
    let act = match recorded.act {
        Act::Plan(plan) => Done::Plan(plan),
        Act::WeeklyCap(Some(cap)) => Done::WeeklyCap(count(cap)),
        Act::WeeklyCap(None) => Done::WeeklyCapRemoved(true),
        Act::Restrict(until) => Done::RestrictedUntil(fields::timestamp(until)),
        Act::LiftRestriction => Done::RestrictionLifted(true),
        Act::ClearFlags => Done::FlagsCleared(true),
    };
    wire::StandingAction {
        time: Some(fields::timestamp(recorded.time)),
        author: recorded.author,
        member_id: recorded
            .member
            .as_ref()
            .map(MemberId::to_string)
            .unwrap_or_default(),
        act: Some(act),
    }
}

fn to_standing(known: &Known) -> wire::MemberStanding {
    wire::MemberStanding {
        standing: to_level(known.level).into(),
        standing_without_restriction: to_level(known.grade.level()).into(),
        first_sent_time: known.first_sent.map(fields::timestamp),
        sent: count(known.counts.sent),
        accepted: count(known.counts.accepted),
        declined: count(known.counts.declined),
        reported: count(known.counts.reported),
        expired: count(known.counts.expired),
        withdrawn: count(known.counts.withdrawn),
        acceptance_rate: known.rate_percent.map(i32::from),
        outcomes: count(known.outcomes),
        pending: count(known.pending),
        overdue: count(known.overdue),
        flags: to_flags(known.flags),
        cleared_flags: to_flags(known.cleared),
        strikes: i32::from(known.strikes),
        restriction: known.restriction.map(to_restriction),
        weekly_cap: known.weekly_cap.map(count),
    }
}

/// The word for how a member is regarded.
pub(super) fn to_level(level: Level) -> wire::Standing {
    match level {
        Level::New => wire::Standing::New,
        Level::Normal => wire::Standing::Normal,
        Level::Trusted => wire::Standing::Trusted,
        Level::Limited => wire::Standing::Limited,
        Level::Restricted => wire::Standing::Restricted,
    }
}

fn to_flag(flag: Flag) -> wire::StandingFlag {
    match flag {
        Flag::LowAcceptance => wire::StandingFlag::LowAcceptance,
        Flag::WithdrawalChurn => wire::StandingFlag::WithdrawalChurn,
        Flag::SameNote => wire::StandingFlag::SameNote,
        Flag::TooManyUnanswered => wire::StandingFlag::TooManyUnanswered,
    }
}

/// The words for flags.
pub(super) fn to_flags(flags: Flags) -> Vec<i32> {
    flags.iter().map(|flag| to_flag(flag).into()).collect()
}

/// A restriction as it is told.
pub(super) fn to_restriction(restriction: Restriction) -> wire::Restriction {
    let (reason, flag) = match restriction.cause {
        Cause::Strike(flag) => (wire::RestrictionReason::Strike, to_flag(flag)),
        Cause::Operator => (
            wire::RestrictionReason::Operator,
            wire::StandingFlag::Unspecified,
        ),
    };
    wire::Restriction {
        end_time: Some(fields::timestamp(restriction.until)),
        reason: reason.into(),
        flag: flag.into(),
    }
}

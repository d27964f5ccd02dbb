//! What a member does on their own account, on the wire: seeing, preferences, bars.

use acquaint_proto::invitation::v1 as wire;
use service_kit::{crash, fields, status::FieldViolations};
use tonic::Status;

use super::{Edge, convert};
use crate::{
    domain::{
        member::{Preferences, WhoCanInvite},
        policy::Policy,
    },
    store::{Barred, command::member::PreferenceChange},
};

const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

impl Edge {
    pub(super) async fn mark_seen(
        &self,
        request: wire::MarkInvitationsSeenRequest,
    ) -> Result<wire::MarkInvitationsSeenResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let until = fields::time(&mut fields, "seen_until", request.seen_until);
        let (Some(member), Some(until)) = (member, until) else {
            return Err(fields::invalid(fields));
        };
        let marked = self.context.store.mark_seen(member, until).await;
        crash::point("seen.committed");
        marked
            .map_err(|error| self.failed(error))?
            .map_err(|refusal| self.failed(refusal))?;
        Ok(wire::MarkInvitationsSeenResponse {})
    }

    pub(super) async fn preferences(
        &self,
        request: wire::GetInvitationPreferencesRequest,
    ) -> Result<wire::GetInvitationPreferencesResponse, Status> {
        let mut fields = FieldViolations::new();
        let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id) else {
            return Err(fields::invalid(fields));
        };
        let preferences = self.context.store.preferences(member).await;
        let preferences = preferences.map_err(|error| self.failed(error))?;
        Ok(wire::GetInvitationPreferencesResponse {
            preferences: Some(to_preferences(preferences)),
        })
    }

    pub(super) async fn update_preferences(
        &self,
        request: wire::UpdateInvitationPreferencesRequest,
    ) -> Result<wire::UpdateInvitationPreferencesResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let change = read_change(&mut fields, &self.context.policy, &request);
        let (Some(member), Some(change)) = (member, change) else {
            return Err(fields::invalid(fields));
        };
        let preferences = self.context.store.update_preferences(member, change).await;
        crash::point("preferences.committed");
        let preferences = preferences
            .map_err(|error| self.failed(error))?
            .map_err(|refusal| self.failed(refusal))?;
        Ok(wire::UpdateInvitationPreferencesResponse {
            preferences: Some(to_preferences(preferences)),
        })
    }

    pub(super) async fn bars(
        &self,
        request: wire::ListBarredInvitersRequest,
    ) -> Result<wire::ListBarredInvitersResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let limit = fields::page_size(&mut fields, request.page_size, self.requests.pages);
        let (Some(member), Some(limit)) = (member, limit) else {
            return Err(fields::invalid(fields));
        };
        let after = self.tokens.read_bars_page(&member, &request.page_token);
        let after = after.map_err(|failure| self.failed(failure))?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let bars = self.context.store.bars(member.clone(), after, limit).await;
        let (bars, more) = bars.map_err(|error| self.failed(error))?;
        let next = bars.last().filter(|_| more);
        let next_page_token = next.map(|last| self.tokens.bars_page(&member, &last.inviter));
        Ok(wire::ListBarredInvitersResponse {
            barred_inviters: bars.iter().map(to_barred).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        })
    }

    pub(super) async fn unbar(
        &self,
        request: wire::UnbarInviterRequest,
    ) -> Result<wire::UnbarInviterResponse, Status> {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let inviter = fields::member_id(&mut fields, "inviter_id", &request.inviter_id);
        let (Some(member), Some(inviter)) = (member, inviter) else {
            return Err(fields::invalid(fields));
        };
        let unbarred = self.context.store.unbar(member, inviter).await;
        crash::point("unbar.committed");
        unbarred
            .map_err(|error| self.failed(error))?
            .map_err(|refusal| self.failed(refusal))?;
        Ok(wire::UnbarInviterResponse {})
    }
}

pub(super) fn to_barred(barred: &Barred) -> wire::BarredInviter {
    wire::BarredInviter {
        inviter_id: barred.inviter.to_string(),
        reason: convert::to_decline_reason(barred.reason).into(),
        bar_time: Some(fields::timestamp(barred.time)),
    }
}

fn read_change(
    fields: &mut FieldViolations,
    policy: &Policy,
    request: &wire::UpdateInvitationPreferencesRequest,
) -> Option<PreferenceChange> {
    let paths = request
        .update_mask
        .as_ref()
        .map(|mask| mask.paths.as_slice());
    let Some(paths) = paths.filter(|paths| !paths.is_empty()) else {
        fields.push("update_mask", "must name at least one field");
        return None;
    };
    let given = request.preferences.unwrap_or_default();
    let mut change = PreferenceChange::default();
    let mut right = true;
    for (index, path) in paths.iter().enumerate() {
        let (who, days) = match path.as_str() {
            "who_can_invite" => (true, false),
            "auto_withdraw_after" => (false, true),
            "*" => (true, true),
            _ => {
                fields.push(
                    format!("update_mask.paths[{index}]"),
                    "must be who_can_invite, auto_withdraw_after or *",
                );
                right = false;
                continue;
            }
        };
        if who && change.who_can_invite.is_none() {
            change.who_can_invite = read_who(fields, given.who_can_invite);
            right &= change.who_can_invite.is_some();
        }
        if days && change.auto_withdraw_days.is_none() {
            change.auto_withdraw_days = read_days(fields, policy, given.auto_withdraw_after);
            right &= change.auto_withdraw_days.is_some();
        }
    }
    right.then_some(change)
}

fn read_who(fields: &mut FieldViolations, who: i32) -> Option<WhoCanInvite> {
    match wire::WhoCanInvite::try_from(who) {
        Ok(wire::WhoCanInvite::Everyone) => Some(WhoCanInvite::Everyone),
        Ok(wire::WhoCanInvite::SecondDegree) => Some(WhoCanInvite::SecondDegree),
        Ok(wire::WhoCanInvite::Nobody) => Some(WhoCanInvite::Nobody),
        Ok(wire::WhoCanInvite::Unspecified) | Err(_) => {
            fields.push(
                "preferences.who_can_invite",
                "must be EVERYONE, SECOND_DEGREE or NOBODY",
            );
            None
        }
    }
}

#[allow(
    clippy::option_option,
    reason = "whether it could be read, and whether there is to be one"
)]
fn read_days(
    fields: &mut FieldViolations,
    policy: &Policy,
    after: Option<prost_types::Duration>,
) -> Option<Option<u16>> {
    let after = after.unwrap_or_default();
    if after.seconds == 0 && after.nanos == 0 {
        return Some(None);
    }
    let (least, most) = (policy.auto_withdraw_min, policy.auto_withdraw_max);
    let (least, most) = (least.as_days(), most.as_days());
    let days = u16::try_from(after.seconds / SECONDS_PER_DAY)
        .ok()
        .filter(|days| (least..=most).contains(&i64::from(*days)))
        .filter(|_| after.nanos == 0 && after.seconds % SECONDS_PER_DAY == 0);
    if days.is_none() {
        fields.push(
            "preferences.auto_withdraw_after",
            format!("must be {least} to {most} whole days, or 0 for never"),
        );
    }
    days.map(Some)
}

pub(super) fn to_preferences(preferences: Preferences) -> wire::InvitationPreferences {
    let who_can_invite = match preferences.who_can_invite {
        WhoCanInvite::Everyone => wire::WhoCanInvite::Everyone,
        WhoCanInvite::SecondDegree => wire::WhoCanInvite::SecondDegree,
        WhoCanInvite::Nobody => wire::WhoCanInvite::Nobody,
    };
    wire::InvitationPreferences {
        who_can_invite: who_can_invite.into(),
        auto_withdraw_after: preferences
            .auto_withdraw_days
            .map(|days| prost_types::Duration {
                seconds: i64::from(days) * SECONDS_PER_DAY,
                nanos: 0,
            }),
    }
}

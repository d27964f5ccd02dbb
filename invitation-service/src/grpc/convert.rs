//! The domain's values as messages, and the fields that only this contract has.

use acquaint_proto::invitation::v1 as wire;
use service_kit::{fields::timestamp, id::MemberId, status::FieldViolations};
use uuid::Uuid;

use crate::domain::{
    invitation::{Place, Shown},
    member::Quota,
    pair::DeclineReason,
    view::View,
};
use service_kit::fields;

/// A member and one of their invitations, as many requests name them.
pub(super) fn invitation_and_member(
    fields: &mut FieldViolations,
    invitation_id: &str,
    member_id: &str,
) -> Option<(Uuid, MemberId)> {
    let id = fields::uuid(fields, "invitation_id", invitation_id);
    let member = fields::member_id(fields, "member_id", member_id);
    id.zip(member)
}

pub(super) fn decline_reason(fields: &mut FieldViolations, reason: i32) -> Option<DeclineReason> {
    match wire::DeclineReason::try_from(reason) {
        Ok(wire::DeclineReason::Unspecified | wire::DeclineReason::NotNow) => {
            Some(DeclineReason::NotNow)
        }
        Ok(wire::DeclineReason::DontKnow) => Some(DeclineReason::DontKnow),
        Ok(wire::DeclineReason::Spam) => Some(DeclineReason::Spam),
        Err(_) => {
            fields.push("reason", "must be one of the reasons");
            None
        }
    }
}

pub(super) fn to_decline_reason(reason: DeclineReason) -> wire::DeclineReason {
    match reason {
        DeclineReason::NotNow => wire::DeclineReason::NotNow,
        DeclineReason::DontKnow => wire::DeclineReason::DontKnow,
        DeclineReason::Spam => wire::DeclineReason::Spam,
    }
}

pub(super) fn to_box(place: Place) -> wire::InvitationBox {
    match place {
        Place::Sent => wire::InvitationBox::Sent,
        Place::Received => wire::InvitationBox::Received,
        Place::Filtered => wire::InvitationBox::Filtered,
        Place::Withdrawn | Place::Declined | Place::Accepted => wire::InvitationBox::Unspecified,
    }
}

pub(super) fn to_invitation(view: View) -> wire::Invitation {
    let state = match view.shown {
        Shown::Pending => wire::InvitationState::Pending,
        Shown::Accepting => wire::InvitationState::Accepting,
        Shown::Accepted => wire::InvitationState::Accepted,
        Shown::Declined => wire::InvitationState::Declined,
        Shown::Withdrawn => wire::InvitationState::Withdrawn,
    };
    wire::Invitation {
        invitation_id: view.id.to_string(),
        inviter_id: view.inviter.to_string(),
        invitee_id: view.invitee.to_string(),
        note: view.note.into_string(),
        state: state.into(),
        source: view.source.into_string(),
        create_time: Some(timestamp(view.create_time)),
        update_time: Some(timestamp(view.update_time)),
        expire_time: view.expire_time.map(timestamp),
        seen: view.seen,
    }
}

pub(super) fn to_quota(quota: &Quota) -> wire::InvitationQuota {
    wire::InvitationQuota {
        weekly_cap: count(quota.weekly_cap),
        used: count(quota.used),
        remaining: count(quota.remaining),
        next_place_time: quota.next_place_time.map(timestamp),
        pending_sent: count(quota.pending_sent),
        pending_cap: count(quota.pending_cap),
    }
}

/// A count, all of which are far below the bound of the type.
pub(super) fn count(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

//! Malformed requests to do the same with many invitations.

use acquaint_proto::invitation::v1::{
    BatchAcceptInvitationsRequest, BatchDeclineInvitationsRequest, BatchWithdrawInvitationsRequest,
    InvitationBox, InvitationIds, ReceivedFilter, SentFilter,
    batch_accept_invitations_request::Selection as Accepted,
    batch_decline_invitations_request::Selection as Declined,
    batch_withdraw_invitations_request::Selection as Withdrawn,
};
use prost_types::Timestamp;
use uuid::Uuid;

use super::table::Table;

const WITHDRAW: &str = "BatchWithdrawInvitations";
const ACCEPT: &str = "BatchAcceptInvitations";
const DECLINE: &str = "BatchDeclineInvitations";
const IDS: &str = "invitation_ids.invitation_ids";

pub(super) fn add(table: &mut Table) {
    members(table);
    named(table);
    filters(table);
    several(table);
}

/// `count` ids, with `bad` in the place `at`.
fn ids(count: u128, at: u128, bad: &str) -> InvitationIds {
    let id = |place| match place {
        place if place == at => bad.to_owned(),
        place => Uuid::from_u128(place + 1).to_string(),
    };
    let invitation_ids = (0..count).map(id).collect();
    InvitationIds { invitation_ids }
}

fn withdraw(member: &str, selection: Option<Withdrawn>) -> BatchWithdrawInvitationsRequest {
    BatchWithdrawInvitationsRequest {
        member_id: member.to_owned(),
        selection,
        dry_run: false,
    }
}

fn accept(member: &str, selection: Option<Accepted>) -> BatchAcceptInvitationsRequest {
    BatchAcceptInvitationsRequest {
        member_id: member.to_owned(),
        selection,
        dry_run: false,
    }
}

fn decline(member: &str, selection: Option<Declined>) -> BatchDeclineInvitationsRequest {
    BatchDeclineInvitationsRequest {
        member_id: member.to_owned(),
        selection,
        dry_run: false,
        reason: 3,
    }
}

fn members(table: &mut Table) {
    let all = SentFilter::default;
    table.ids(WITHDRAW, "member_id", |id| {
        withdraw(&id, Some(Withdrawn::Filter(all())))
    });
    let all = ReceivedFilter::default;
    table.ids(ACCEPT, "member_id", |id| {
        accept(&id, Some(Accepted::Filter(all())))
    });
    table.ids(DECLINE, "member_id", |id| {
        decline(&id, Some(Declined::Filter(all())))
    });
    table.fields(WITHDRAW, &withdraw("ann", None), &["selection"]);
    table.fields(ACCEPT, &accept("ann", None), &["selection"]);
    table.fields(DECLINE, &decline("ann", None), &["selection"]);
}

fn named(table: &mut Table) {
    let withdrawn = |ids| withdraw("ann", Some(Withdrawn::InvitationIds(ids)));
    let accepted = |ids| accept("ann", Some(Accepted::InvitationIds(ids)));
    let declined = |ids| decline("ann", Some(Declined::InvitationIds(ids)));
    let third = format!("{IDS}[3]");
    table.uuids(WITHDRAW, &third, |id| withdrawn(ids(5, 3, &id)));
    table.uuids(ACCEPT, &third, |id| accepted(ids(5, 3, &id)));
    table.uuids(DECLINE, &third, |id| declined(ids(5, 3, &id)));
    for count in [0, 101, 1_000] {
        let ids = || ids(count, count, "");
        table.fields(WITHDRAW, &withdrawn(ids()), &[IDS]);
        table.fields(ACCEPT, &accepted(ids()), &[IDS]);
        table.fields(DECLINE, &declined(ids()), &[IDS]);
    }
}

fn filters(table: &mut Table) {
    const SENT_BEFORE: &str = "filter.sent_before";
    table.times(WITHDRAW, SENT_BEFORE, |sent_before| {
        let filter = SentFilter {
            sent_before,
            without_note: false,
        };
        withdraw("ann", Some(Withdrawn::Filter(filter)))
    });
    let before = |sent_before| ReceivedFilter {
        sent_before,
        ..Default::default()
    };
    table.times(ACCEPT, SENT_BEFORE, |time| {
        accept("ann", Some(Accepted::Filter(before(time))))
    });
    table.times(DECLINE, SENT_BEFORE, |time| {
        decline("ann", Some(Declined::Filter(before(time))))
    });
    for r#box in [InvitationBox::Sent.into(), 4, -1, 99] {
        let filter = ReceivedFilter {
            r#box,
            ..Default::default()
        };
        table.fields(
            ACCEPT,
            &accept("ann", Some(Accepted::Filter(filter))),
            &["filter.box"],
        );
        table.fields(
            DECLINE,
            &decline("ann", Some(Declined::Filter(filter))),
            &["filter.box"],
        );
    }
    for reason in [-1, 4, 99] {
        let selection = Some(Declined::Filter(ReceivedFilter::default()));
        let request = BatchDeclineInvitationsRequest {
            reason,
            ..decline("ann", selection)
        };
        table.fields(DECLINE, &request, &["reason"]);
    }
}

fn several(table: &mut Table) {
    let bad = ReceivedFilter {
        r#box: 9,
        sent_before: Some(Timestamp {
            seconds: 0,
            nanos: -1,
        }),
        without_note: true,
    };
    let request = BatchDeclineInvitationsRequest {
        reason: 9,
        dry_run: true,
        ..decline("?", Some(Declined::Filter(bad)))
    };
    let fields = ["filter.sent_before", "filter.box", "reason", "member_id"];
    table.fields(DECLINE, &request, &fields);
    table.fields(
        ACCEPT,
        &accept("?", Some(Accepted::Filter(bad))),
        &[fields[0], fields[1], fields[3]],
    );
    let mut names = ids(100, 0, "?");
    names.invitation_ids[99] = String::new();
    let (first, last) = (format!("{IDS}[0]"), format!("{IDS}[99]"));
    let request = withdraw("?", Some(Withdrawn::InvitationIds(names)));
    table.fields(WITHDRAW, &request, &[&first, &last, "member_id"]);
    table.fields(WITHDRAW, &withdraw("", None), &["selection", "member_id"]);
}

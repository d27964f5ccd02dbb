//! Malformed requests about one invitation, and about a member's own account with invitation-service.

use acquaint_proto::invitation::v1::{
    self as wire, CountInvitationsRequest, GetInvitationPreferencesRequest,
    GetInvitationQuotaRequest, GetInvitationRequest, InvitationPreferences,
    MarkInvitationsSeenRequest, SendInvitationRequest, UnbarInviterRequest,
    UpdateInvitationPreferencesRequest, WhoCanInvite,
};
use prost_types::{Duration, FieldMask, Timestamp};

use super::table::Table;

const ID: &str = "0198c0de-0000-7000-8000-000000000000";
const DAY: i64 = 24 * 60 * 60;

pub(super) fn add(table: &mut Table) {
    send(table);
    notes(table);
    one(table);
    answers(table);
    account(table);
    preferences(table);
    durations(table);
}

fn sending() -> SendInvitationRequest {
    SendInvitationRequest {
        inviter_id: "ann".to_owned(),
        invitee_id: "zoe".to_owned(),
        ..Default::default()
    }
}

fn send(table: &mut Table) {
    const METHOD: &str = "SendInvitation";
    let request = |inviter: &str, invitee: &str| SendInvitationRequest {
        inviter_id: inviter.to_owned(),
        invitee_id: invitee.to_owned(),
        ..sending()
    };
    table.ids(METHOD, "inviter_id", |id| request(&id, "zoe"));
    table.ids(METHOD, "invitee_id", |id| request("ann", &id));
    table.oneself(METHOD, &request("ann", "ann"));
    let with_id = |request_id: String| SendInvitationRequest {
        request_id,
        ..sending()
    };
    for text in ["1", "ann", "0198c0de-0000-7000-8000-00000000000", "ä"] {
        table.fields(METHOD, &with_id(text.to_owned()), &["request_id"]);
    }
    for source in [
        "Search",
        "a b",
        "a/b",
        "ä",
        "a\n",
        &"x".repeat(33),
        "a@b",
        "a:b",
    ] {
        let source = source.to_owned();
        table.fields(
            METHOD,
            &SendInvitationRequest {
                source,
                ..sending()
            },
            &["source"],
        );
    }
    table.fields(
        METHOD,
        &SendInvitationRequest::default(),
        &["inviter_id", "invitee_id"],
    );
    let all = SendInvitationRequest {
        inviter_id: "a b".to_owned(),
        invitee_id: String::new(),
        note: "\u{7}".repeat(2),
        source: "UPPER".to_owned(),
        request_id: "?".to_owned(),
    };
    let fields = ["inviter_id", "invitee_id", "note", "source", "request_id"];
    table.fields(METHOD, &all, &fields);
    let oneself_and_more = SendInvitationRequest {
        note: "a\tb".to_owned(),
        ..request("ann", "ann")
    };
    table.fields(METHOD, &oneself_and_more, &["note"]);
}

fn notes(table: &mut Table) {
    let mut notes = vec![
        "x".repeat(301),
        "x".repeat(100_000),
        "\u{1f600}".repeat(301),
    ];
    // Letters that no composition shortens.
    notes.push("q\u{301}".repeat(151));
    // Bells, returns, tabs, the other controls of ASCII, and those above it.
    for control in "\u{0}\u{1}\u{7}\u{8}\t\u{b}\u{c}\r\u{1b}\u{7f}\u{80}\u{85}\u{9f}".chars() {
        notes.push(format!("a{control}b"));
    }
    let bidirectional = "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}";
    for control in bidirectional.chars() {
        notes.push(format!("a{control}b"));
        notes.push(format!("{control}"));
    }
    for note in notes {
        let request = SendInvitationRequest { note, ..sending() };
        table.fields("SendInvitation", &request, &["note"]);
    }
}

fn one(table: &mut Table) {
    const METHOD: &str = "GetInvitation";
    let request = |invitation_id: &str, member_id: &str| GetInvitationRequest {
        invitation_id: invitation_id.to_owned(),
        member_id: member_id.to_owned(),
    };
    table.uuids(METHOD, "invitation_id", |id| request(&id, "ann"));
    table.ids(METHOD, "member_id", |id| request(ID, &id));
    table.fields(METHOD, &request("?", "?"), &["invitation_id", "member_id"]);
}

fn answers(table: &mut Table) {
    macro_rules! each {
        ($method:literal, $request:ident $(, $field:ident: $value:expr)*) => {
            let request = |invitation_id: &str, member_id: &str| wire::$request {
                invitation_id: invitation_id.to_owned(),
                member_id: member_id.to_owned(),
                $($field: $value,)*
            };
            table.uuids($method, "invitation_id", |id| request(&id, "ann"));
            table.ids($method, "member_id", |id| request(ID, &id));
            table.fields($method, &request("", ""), &["invitation_id", "member_id"]);
        };
    }
    each!("AcceptInvitation", AcceptInvitationRequest);
    each!("DeclineInvitation", DeclineInvitationRequest, reason: 2);
    each!("UndoDecline", UndoDeclineRequest);
    each!("WithdrawInvitation", WithdrawInvitationRequest);
    let decline = |reason: i32, id: &str, member: &str| wire::DeclineInvitationRequest {
        invitation_id: id.to_owned(),
        member_id: member.to_owned(),
        reason,
    };
    for reason in [-1, 4, 99, i32::MAX] {
        table.fields(
            "DeclineInvitation",
            &decline(reason, ID, "ann"),
            &["reason"],
        );
    }
    let fields = ["reason", "invitation_id", "member_id"];
    table.fields("DeclineInvitation", &decline(4, "?", "?"), &fields);
}

fn account(table: &mut Table) {
    table.ids("CountInvitations", "member_id", |member_id| {
        CountInvitationsRequest { member_id }
    });
    table.ids("GetInvitationQuota", "member_id", |member_id| {
        GetInvitationQuotaRequest { member_id }
    });
    table.ids("GetInvitationPreferences", "member_id", |member_id| {
        GetInvitationPreferencesRequest { member_id }
    });
    let seen = |member_id: &str, seen_until| MarkInvitationsSeenRequest {
        member_id: member_id.to_owned(),
        seen_until,
    };
    let now = Some(Timestamp::default());
    table.ids("MarkInvitationsSeen", "member_id", |id| seen(&id, now));
    table.times("MarkInvitationsSeen", "seen_until", |time| {
        seen("ann", time)
    });
    table.fields("MarkInvitationsSeen", &seen("ann", None), &["seen_until"]);
    table.fields(
        "MarkInvitationsSeen",
        &seen("", None),
        &["member_id", "seen_until"],
    );
    let unbar = |member_id: &str, inviter_id: &str| UnbarInviterRequest {
        member_id: member_id.to_owned(),
        inviter_id: inviter_id.to_owned(),
    };
    table.ids("UnbarInviter", "member_id", |id| unbar(&id, "fay"));
    table.ids("UnbarInviter", "inviter_id", |id| unbar("ann", &id));
    table.fields("UnbarInviter", &unbar("", ""), &["member_id", "inviter_id"]);
    table.oneself("UnbarInviter", &unbar("ann", "ann"));
}

const WHO: &str = "preferences.who_can_invite";
const AFTER: &str = "preferences.auto_withdraw_after";

fn update(
    who_can_invite: i32,
    auto_withdraw_after: Option<Duration>,
    paths: &[&str],
) -> UpdateInvitationPreferencesRequest {
    UpdateInvitationPreferencesRequest {
        member_id: "ann".to_owned(),
        preferences: Some(InvitationPreferences {
            who_can_invite,
            auto_withdraw_after,
        }),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(ToString::to_string).collect(),
        }),
    }
}

fn preferences(table: &mut Table) {
    const METHOD: &str = "UpdateInvitationPreferences";
    let nobody = WhoCanInvite::Nobody.into();
    table.ids(METHOD, "member_id", |member_id| {
        UpdateInvitationPreferencesRequest {
            member_id,
            ..update(nobody, None, &["*"])
        }
    });
    for who in [0, 4, -1, 99] {
        table.fields(METHOD, &update(who, None, &["who_can_invite"]), &[WHO]);
        table.fields(METHOD, &update(who, None, &["*"]), &[WHO]);
    }
    let absent = UpdateInvitationPreferencesRequest {
        preferences: None,
        ..update(0, None, &["who_can_invite"])
    };
    table.fields(METHOD, &absent, &[WHO]);
    table.fields(METHOD, &update(nobody, None, &[]), &["update_mask"]);
    let without = UpdateInvitationPreferencesRequest {
        update_mask: None,
        ..update(nobody, None, &[])
    };
    table.fields(METHOD, &without, &["update_mask"]);
    for path in [
        "",
        "who",
        "WHO_CAN_INVITE",
        "preferences.who_can_invite",
        "* ",
        "member_id",
    ] {
        table.fields(
            METHOD,
            &update(nobody, None, &[path]),
            &["update_mask.paths[0]"],
        );
        let second = update(nobody, None, &["who_can_invite", path]);
        table.fields(METHOD, &second, &["update_mask.paths[1]"]);
    }
    let all = UpdateInvitationPreferencesRequest {
        member_id: "?".to_owned(),
        ..update(
            0,
            Some(Duration {
                seconds: 1,
                nanos: 0,
            }),
            &["x", "*", "y"],
        )
    };
    let fields = [
        "member_id",
        "update_mask.paths[0]",
        WHO,
        AFTER,
        "update_mask.paths[2]",
    ];
    table.fields(METHOD, &all, &fields);
}

fn durations(table: &mut Table) {
    for (seconds, nanos) in [
        (1, 0),
        (6 * DAY, 0),
        (7 * DAY - 1, 0),
        (7 * DAY + 1, 0),
        (7 * DAY, 1),
        (7 * DAY, -1),
        (7 * DAY, i32::MAX),
        (181 * DAY, 0),
        (-7 * DAY, 0),
        (0, 1),
        (i64::MAX, 0),
        (i64::MIN, 0),
    ] {
        let after = Some(Duration { seconds, nanos });
        let request = update(WhoCanInvite::Nobody.into(), after, &["auto_withdraw_after"]);
        table.fields("UpdateInvitationPreferences", &request, &[AFTER]);
    }
}

//! Bounds with other values than the defaults, over the wire: they hold, and refusals name them.
//!
//! Deliberately absent: the defaults (`bad_input`), and which values go together (beside each service's configuration).

mod size;

use std::time::Duration;

use acquaint_proto::{
    connection::v1::{
        BatchGetRelationshipsRequest, BlockMemberRequest, ListBlockedMembersRequest,
        ListConnectionsRequest,
    },
    invitation::v1::{
        BatchGetInvitationStatesRequest, BatchWithdrawInvitationsRequest,
        BatchWithdrawInvitationsResponse, InvitationBox, InvitationIds, InvitationPreferences,
        ListInvitationsRequest, ListInvitationsResponse, SendInvitationRequest, SentFilter,
        UpdateInvitationPreferencesRequest,
        batch_withdraw_invitations_request::Selection as Withdrawn,
    },
};
use acquaint_tests::{
    pair::{Pair, Setup},
    refusal::{Refusal, reason},
    watcher::{InvitationWatcher, Scope},
};
use service_kit::{
    deadline::DeadlineOptions,
    fields::{BatchOptions, Pages, RequestOptions},
    time::Span,
};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt as _;

/// The rule that one field of a refused request breaks.
fn rule<T: std::fmt::Debug>(answer: Result<T, Status>, field: &str) -> String {
    let refused = answer.unwrap_err();
    assert_eq!(Refusal::of(&refused).fields, [field]);
    let details = refused.get_error_details();
    let violations = &details.bad_request().unwrap().field_violations;
    violations[0].description.clone()
}

fn noted(invitee: &str, note: &str, source: &str) -> SendInvitationRequest {
    SendInvitationRequest {
        inviter_id: "ann".to_owned(),
        invitee_id: invitee.to_owned(),
        note: note.to_owned(),
        source: source.to_owned(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn notes_and_sources() {
    let mut setup = Setup::default();
    setup.invitation_policy.note_chars_max = 301;
    setup.invitation_policy.source_chars_max = 3;
    let pair = Pair::with(setup).await;
    let full = "\u{1f600}".repeat(301);
    let sent = pair.send_with(noted("bob", &full, "abc")).await.unwrap();
    assert_eq!(sent.invitation.unwrap().note, full);
    let refused = pair.send_with(noted("cat", &"x".repeat(302), "")).await;
    let told = rule(refused, "note");
    assert!(told.contains("at most 301 characters"), "{told}");
    let refused = pair.send_with(noted("cat", "", "abcd")).await;
    let told = rule(refused, "source");
    assert!(told.contains("at most 3 characters"), "{told}");
    pair.stop().await;
}

async fn withdraw(
    pair: &Pair,
    selection: Withdrawn,
) -> Result<BatchWithdrawInvitationsResponse, Status> {
    let request = BatchWithdrawInvitationsRequest {
        member_id: "ann".to_owned(),
        selection: Some(selection),
        dry_run: true,
    };
    let mut client = pair.invitations.clone();
    let answer = client.batch_withdraw_invitations(request).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn batches() {
    let pair = Pair::with(Setup {
        requests: RequestOptions {
            batches: BatchOptions {
                items_max: 2,
                matched_max: 3,
            },
            ..RequestOptions::default()
        },
        ..Setup::default()
    })
    .await;
    let mut invitation_ids = Vec::new();
    for invitee in ["bob", "cat", "dan", "eve"] {
        invitation_ids.push(pair.sent("ann", invitee).await);
    }
    let named = |count: usize| {
        let invitation_ids = invitation_ids[..count].to_vec();
        Withdrawn::InvitationIds(InvitationIds { invitation_ids })
    };
    assert_eq!(withdraw(&pair, named(2)).await.unwrap().results.len(), 2);
    let refused = withdraw(&pair, named(3)).await;
    assert_eq!(
        rule(refused, "invitation_ids.invitation_ids"),
        "must be 1 to 2"
    );
    let all = Withdrawn::Filter(SentFilter::default());
    let answer = withdraw(&pair, all).await.unwrap();
    assert_eq!(answer.results.len(), 2);
    assert_eq!((answer.matched_count, answer.remaining_count), (3, 1));
    pair.stop().await;
}

async fn sent_page(
    pair: &Pair,
    member: &str,
    page_size: i32,
) -> Result<ListInvitationsResponse, Status> {
    let request = ListInvitationsRequest {
        member_id: member.to_owned(),
        r#box: InvitationBox::Sent.into(),
        page_size,
        ..Default::default()
    };
    let answer = pair.invitations.clone().list_invitations(request).await;
    answer.map(tonic::Response::into_inner)
}

#[tokio::test(flavor = "multi_thread")]
async fn pages() {
    let pages = Pages { default: 1, max: 2 };
    let requests = RequestOptions {
        pages,
        ..RequestOptions::default()
    };
    let pair = Pair::with(Setup {
        requests,
        ..Setup::default()
    })
    .await;
    for invitee in ["bob", "cat", "dan"] {
        pair.sent("ann", invitee).await;
        pair.connect("zoe", invitee).await;
        pair.block("yan", invitee).await.unwrap();
    }
    for (page_size, expected) in [(0, 1), (1, 1), (2, 2), (3, 2), (1_000, 2)] {
        let invitations = sent_page(&pair, "ann", page_size).await.unwrap();
        assert_eq!(invitations.invitations.len(), expected, "{page_size}");
        let request = ListConnectionsRequest {
            member_id: "zoe".to_owned(),
            page_size,
            ..Default::default()
        };
        let connections = pair.connections.clone().list_connections(request).await;
        let connections = connections.unwrap().into_inner().connections;
        assert_eq!(connections.len(), expected, "{page_size}");
        let request = ListBlockedMembersRequest {
            member_id: "yan".to_owned(),
            page_size,
            ..Default::default()
        };
        let blocked = pair.blocks.clone().list_blocked_members(request).await;
        let blocked = blocked.unwrap().into_inner().blocked_members;
        assert_eq!(blocked.len(), expected, "{page_size}");
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_where_what_is_noted_does_not_fit_any_more() {
    let mut setup = Setup::default();
    // Room for two of three notes of this length.
    setup.connection_policy.private_note_chars_max = 120_000;
    setup.server.answer_bytes_max = 300_000;
    let pair = Pair::with(setup).await;
    let note = "x".repeat(120_000);
    for other in ["bob", "cat", "dan"] {
        pair.connect("zoe", other).await;
        pair.advance(Span::seconds(1));
        pair.note("zoe", other, &[], Some(&note)).await.unwrap();
    }
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListConnectionsRequest {
            member_id: "zoe".to_owned(),
            page_token,
            ..Default::default()
        };
        let page = pair.connections.clone().list_connections(request).await;
        let page = page.unwrap().into_inner();
        assert_eq!(page.total_size, 3);
        let others = page.connections.into_iter().map(|line| line.other_id);
        pages.push(others.collect::<Vec<_>>());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [vec!["dan", "cat"], vec!["bob"]]);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn look_ups() {
    let requests = RequestOptions {
        lookup_members_max: 2,
        ..RequestOptions::default()
    };
    let pair = Pair::with(Setup {
        requests,
        ..Setup::default()
    })
    .await;
    for (count, fits) in [(2, true), (3, false)] {
        let other_ids: Vec<_> = ["bob", "cat", "dan"][..count]
            .iter()
            .map(ToString::to_string)
            .collect();
        let states = BatchGetInvitationStatesRequest {
            member_id: "ann".to_owned(),
            other_ids: other_ids.clone(),
        };
        let mut invitations = pair.invitations.clone();
        let states = invitations.batch_get_invitation_states(states).await;
        let relationships = BatchGetRelationshipsRequest {
            member_id: "ann".to_owned(),
            other_ids,
            with_mutual_counts: false,
        };
        let mut connections = pair.connections.clone();
        let relationships = connections.batch_get_relationships(relationships).await;
        if fits {
            assert_eq!(states.unwrap().into_inner().states.len(), count);
            let found = relationships.unwrap().into_inner().relationships;
            assert_eq!(found.len(), count);
        } else {
            assert_eq!(rule(states, "other_ids"), "must be 1 to 2");
            assert_eq!(rule(relationships, "other_ids"), "must be 1 to 2");
        }
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_of_auto_withdrawal() {
    let mut setup = Setup::default();
    setup.invitation_policy.auto_withdraw_min = Span::days(2);
    setup.invitation_policy.auto_withdraw_max = Span::days(3);
    let pair = Pair::with(setup).await;
    for (days, fits) in [(1, false), (2, true), (3, true), (4, false), (0, true)] {
        let seconds = days * 24 * 60 * 60;
        let request = UpdateInvitationPreferencesRequest {
            member_id: "ann".to_owned(),
            preferences: Some(InvitationPreferences {
                auto_withdraw_after: Some(prost_types::Duration { seconds, nanos: 0 }),
                ..Default::default()
            }),
            update_mask: Some(prost_types::FieldMask {
                paths: vec!["auto_withdraw_after".to_owned()],
            }),
        };
        let mut invitations = pair.invitations.clone();
        let answer = invitations.update_invitation_preferences(request).await;
        if fits {
            assert!(answer.is_ok(), "{days}: {answer:?}");
        } else {
            let told = rule(answer, "preferences.auto_withdraw_after");
            assert_eq!(told, "must be 2 to 3 whole days, or 0 for never");
        }
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_far_back_a_watch_catches_up() {
    let mut setup = Setup::default();
    setup.invitation_policy.member_backlog_max = 2;
    let pair = Pair::with(setup).await;
    let scope = Scope::member("ann");
    let token = InvitationWatcher::now(&pair, scope.clone()).await.token;
    for (invitee, in_time) in [("bob", true), ("cat", true), ("dan", false)] {
        pair.sent("ann", invitee).await;
        let resumed = InvitationWatcher::after(&pair, scope.clone(), &token).await;
        if in_time {
            assert!(resumed.is_ok(), "{invitee}");
        } else {
            assert_eq!(reason(resumed.map(drop)), "TOKEN_TOO_OLD");
        }
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_of_messages() {
    let mut setup = Setup::default();
    setup.server.message_bytes_max = 16_384;
    setup.server.answer_bytes_max = 16_384;
    let pair = Pair::with(setup).await;
    // Read, and refused by the rule of notes.
    let refused = pair.send_with(noted("bob", &"x".repeat(16_000), "")).await;
    rule(refused, "note");
    let refused = pair.send_with(noted("bob", &"x".repeat(17_000), "")).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
    assert!(refused.message().contains("16384"), "{refused:?}");
    for number in 0..20 {
        let sent = noted(&format!("m{number}"), &"\u{1f600}".repeat(300), "");
        pair.send_with(sent).await.unwrap();
    }
    let page = sent_page(&pair, "ann", 10).await.unwrap();
    assert_eq!(page.invitations.len(), 10);
    let refused = sent_page(&pair, "ann", 20).await.unwrap_err();
    assert_eq!(refused.code(), Code::OutOfRange);
    assert!(refused.message().contains("16384"), "{refused:?}");
    pair.stop().await;
}

/// A block waits for invitation-service, which is away: for longer than the deadlines under test, and for less than the defaults, with which
/// it would succeed.
#[tokio::test(flavor = "multi_thread")]
async fn deadlines() {
    let mut setup = Setup::default();
    setup.connection_policy.acknowledgement_wait = Span::seconds(4);
    let mut pair = Pair::with(setup).await;
    pair.stop_invitation_service().await;
    let short = Duration::from_millis(50);
    let long = Duration::from_mins(1);
    for (other, max, asked) in [("bob", long, None), ("cat", short, Some(long))] {
        pair.stop_connection_service().await;
        pair.change(|setup| {
            setup.server.deadlines = DeadlineOptions {
                default: short,
                max,
            };
        });
        pair.start_connection_service().await;
        let mut request = Request::new(BlockMemberRequest {
            member_id: "ann".to_owned(),
            other_id: other.to_owned(),
        });
        if let Some(asked) = asked {
            request.set_timeout(asked);
        }
        let answer = pair.blocks.clone().block_member(request).await;
        assert_eq!(reason(answer), "DEADLINE_EXCEEDED", "{asked:?}");
    }
    pair.stop().await;
}

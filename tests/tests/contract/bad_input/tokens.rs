//! Page and resume tokens that nobody issued, or that were issued for something else.

use acquaint_proto::{
    connection::{internal::v1::ListFactsRequest, v1 as connection},
    invitation::v1 as invitation,
};
use connection::{
    ConnectionOrder, ListBlockedMembersRequest, ListConnectionsRequest,
    ListMutualConnectionsRequest, SuggestConnectionsRequest, WatchConnectionsRequest,
    watch_connections_request::Scope as ConnectionScope,
};
use invitation::{
    InvitationBox, InvitationOrder, ListBarredInvitersRequest, ListInvitationsRequest,
    ListStandingActionsRequest, WatchInvitationsRequest,
    watch_invitations_request::Scope as InvitationScope,
};
use prost_types::Timestamp;

use super::{table::Table, world::Tokens};

pub(super) fn add(table: &mut Table, tokens: &Tokens) {
    invitations(table, tokens);
    other_queries(table, tokens);
    bars(table, tokens);
    acts(table, tokens);
    invitation_watches(table, tokens);
    connections(table, tokens);
    network(table, tokens);
    connection_watches(table, tokens);
}

fn list(page_token: String) -> ListInvitationsRequest {
    ListInvitationsRequest {
        member_id: "ann".to_owned(),
        r#box: InvitationBox::Sent.into(),
        page_token,
        ..Default::default()
    }
}

fn invitations(table: &mut Table, tokens: &Tokens) {
    const METHOD: &str = "ListInvitations";
    table.tokens(METHOD, &tokens.sent, list);
    let foreign = [
        &tokens.barred,
        &tokens.connections,
        &tokens.blocked,
        &tokens.facts,
    ];
    let watches = [&tokens.invitation_watch, &tokens.all_invitations_watch];
    for token in foreign.into_iter().chain(watches) {
        table.token(METHOD, &list(token.clone()));
    }
}

fn other_queries(table: &mut Table, tokens: &Tokens) {
    let page = || list(tokens.sent.clone());
    for other in [
        ListInvitationsRequest {
            member_id: "bob".to_owned(),
            ..page()
        },
        ListInvitationsRequest {
            member_id: "Ann".to_owned(),
            ..page()
        },
        ListInvitationsRequest {
            r#box: InvitationBox::Received.into(),
            ..page()
        },
        ListInvitationsRequest {
            r#box: InvitationBox::Filtered.into(),
            ..page()
        },
        ListInvitationsRequest {
            order: InvitationOrder::Oldest.into(),
            ..page()
        },
        ListInvitationsRequest {
            include_recently_withdrawn: true,
            ..page()
        },
        ListInvitationsRequest {
            sent_before: Some(Timestamp::default()),
            ..page()
        },
    ] {
        table.token("ListInvitations", &other);
    }
}

fn bars(table: &mut Table, tokens: &Tokens) {
    const METHOD: &str = "ListBarredInviters";
    let page = |member_id: &str, token: &str| ListBarredInvitersRequest {
        member_id: member_id.to_owned(),
        page_size: 0,
        page_token: token.to_owned(),
    };
    table.tokens(METHOD, &tokens.barred, |token| page("ann", &token));
    table.token(METHOD, &page("bob", &tokens.barred));
    for token in [&tokens.sent, &tokens.invitation_watch, &tokens.blocked] {
        table.token(METHOD, &page("ann", token));
    }
}

fn acts(table: &mut Table, tokens: &Tokens) {
    const METHOD: &str = "ListStandingActions";
    let page = |member_id: &str, token: &str| ListStandingActionsRequest {
        member_id: member_id.to_owned(),
        page_size: 0,
        page_token: token.to_owned(),
    };
    table.tokens(METHOD, &tokens.acts, |token| page("ann", &token));
    for other in ["bob", ""] {
        table.token(METHOD, &page(other, &tokens.acts));
    }
    for token in [&tokens.sent, &tokens.barred, &tokens.connections] {
        table.token(METHOD, &page("ann", token));
    }
}

fn invitation_watches(table: &mut Table, tokens: &Tokens) {
    const METHOD: &str = "WatchInvitations";
    let member = |member: &str, resume_token: String| WatchInvitationsRequest {
        scope: Some(InvitationScope::MemberId(member.to_owned())),
        resume_token,
    };
    let all = |resume_token| WatchInvitationsRequest {
        scope: Some(InvitationScope::AllMembers(true)),
        resume_token,
    };
    table.tokens(METHOD, &tokens.invitation_watch, |token| {
        member("ann", token)
    });
    table.tokens(METHOD, &tokens.all_invitations_watch, all);
    table.token(METHOD, &member("bob", tokens.invitation_watch.clone()));
    table.token(METHOD, &member("ann", tokens.all_invitations_watch.clone()));
    table.token(METHOD, &all(tokens.invitation_watch.clone()));
    for token in [&tokens.sent, &tokens.barred, &tokens.connection_watch] {
        table.token(METHOD, &member("ann", token.clone()));
    }
    table.token(METHOD, &all(tokens.all_connections_watch.clone()));
}

fn connections(table: &mut Table, tokens: &Tokens) {
    let connected = |member_id: &str, token: &str| ListConnectionsRequest {
        member_id: member_id.to_owned(),
        page_token: token.to_owned(),
        ..Default::default()
    };
    table.tokens("ListConnections", &tokens.connections, |token| {
        connected("ann", &token)
    });
    table.token("ListConnections", &connected("hal", &tokens.connections));
    let labelled = |label: &str, token: &str| ListConnectionsRequest {
        label: label.to_owned(),
        ..connected("ann", token)
    };
    table.tokens("ListConnections", &tokens.labelled, |token| {
        labelled("friends", &token)
    });
    table.token("ListConnections", &connected("ann", &tokens.labelled));
    table.token("ListConnections", &labelled("work", &tokens.labelled));
    table.token("ListConnections", &labelled("friends", &tokens.connections));
    for token in [
        &tokens.blocked,
        &tokens.facts,
        &tokens.sent,
        &tokens.connection_watch,
    ] {
        table.token("ListConnections", &connected("ann", token));
    }
    let page = || connected("ann", &tokens.connections);
    for other in [
        ListConnectionsRequest {
            order: ConnectionOrder::FirstName.into(),
            ..page()
        },
        ListConnectionsRequest {
            query: "a".to_owned(),
            ..page()
        },
        ListConnectionsRequest {
            connected_before: Some(Timestamp::default()),
            ..page()
        },
    ] {
        table.token("ListConnections", &other);
    }
    let blocked = |member_id: &str, token: &str| ListBlockedMembersRequest {
        member_id: member_id.to_owned(),
        page_size: 0,
        page_token: token.to_owned(),
    };
    table.tokens("ListBlockedMembers", &tokens.blocked, |token| {
        blocked("ann", &token)
    });
    table.token("ListBlockedMembers", &blocked("hal", &tokens.blocked));
    for token in [&tokens.connections, &tokens.facts, &tokens.barred] {
        table.token("ListBlockedMembers", &blocked("ann", token));
    }
    let facts = |page_token: String| ListFactsRequest {
        page_size: 0,
        page_token,
    };
    table.tokens("ListFacts", &tokens.facts, facts);
    for token in [
        &tokens.connections,
        &tokens.blocked,
        &tokens.all_connections_watch,
    ] {
        table.token("ListFacts", &facts(token.clone()));
    }
}

fn network(table: &mut Table, tokens: &Tokens) {
    const MUTUAL: &str = "ListMutualConnections";
    const SUGGEST: &str = "SuggestConnections";
    let mutual = |member_id: &str, other_id: &str, token: &str| ListMutualConnectionsRequest {
        member_id: member_id.to_owned(),
        other_id: other_id.to_owned(),
        page_size: 0,
        page_token: token.to_owned(),
    };
    table.tokens(MUTUAL, &tokens.mutual, |token| mutual("ann", "hal", &token));
    for (member, other) in [("ann", "mia"), ("hal", "ann"), ("mia", "hal")] {
        table.token(MUTUAL, &mutual(member, other, &tokens.mutual));
    }
    let suggest = |member_id: &str, token: &str| SuggestConnectionsRequest {
        member_id: member_id.to_owned(),
        page_size: 0,
        page_token: token.to_owned(),
    };
    table.tokens(SUGGEST, &tokens.suggested, |token| suggest("ann", &token));
    table.token(SUGGEST, &suggest("hal", &tokens.suggested));
    for token in [&tokens.connections, &tokens.suggested, &tokens.blocked] {
        table.token(MUTUAL, &mutual("ann", "hal", token));
    }
    for token in [&tokens.connections, &tokens.mutual, &tokens.facts] {
        table.token(SUGGEST, &suggest("ann", token));
    }
}

fn connection_watches(table: &mut Table, tokens: &Tokens) {
    const METHOD: &str = "WatchConnections";
    let member = |member: &str, resume_token: String| WatchConnectionsRequest {
        scope: Some(ConnectionScope::MemberId(member.to_owned())),
        resume_token,
    };
    let all = |resume_token| WatchConnectionsRequest {
        scope: Some(ConnectionScope::AllMembers(true)),
        resume_token,
    };
    table.tokens(METHOD, &tokens.connection_watch, |token| {
        member("ann", token)
    });
    table.tokens(METHOD, &tokens.all_connections_watch, all);
    table.token(METHOD, &member("hal", tokens.connection_watch.clone()));
    table.token(METHOD, &member("ann", tokens.all_connections_watch.clone()));
    table.token(METHOD, &all(tokens.connection_watch.clone()));
    for token in [
        &tokens.connections,
        &tokens.blocked,
        &tokens.invitation_watch,
    ] {
        table.token(METHOD, &member("ann", token.clone()));
    }
    table.token(METHOD, &all(tokens.all_invitations_watch.clone()));
}

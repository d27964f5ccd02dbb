//! Members who have something of everything, the tokens they were given, and what is stored of it.

use acquaint_proto::{connection::v1 as connection, invitation::v1 as invitation};
use acquaint_tests::{pair::Pair, wait::eventually};
use invitation::{DeclineReason, InvitationBox};
use rusqlite::types::Value;

use crate::wire::Wire;

/// Both services with something in them.
pub(super) struct World {
    pub(super) pair: Pair,
    pub(super) wire: Wire,
    pub(super) tokens: Tokens,
}

/// Tokens that `ann` was given.
pub(super) struct Tokens {
    /// `ListInvitations` with the box SENT, newest first.
    pub(super) sent: String,
    /// `ListBarredInviters`.
    pub(super) barred: String,
    /// `ListStandingActions`, of ann.
    pub(super) acts: String,
    /// `ListConnections`.
    pub(super) connections: String,
    /// `ListConnections` with the label `friends`.
    pub(super) labelled: String,
    /// `ListMutualConnections`, with hal.
    pub(super) mutual: String,
    /// `SuggestConnections`.
    pub(super) suggested: String,
    /// `ListBlockedMembers`.
    pub(super) blocked: String,
    /// `ListFacts`.
    pub(super) facts: String,
    /// `WatchInvitations`, of ann.
    pub(super) invitation_watch: String,
    /// `WatchInvitations`, of all.
    pub(super) all_invitations_watch: String,
    /// `WatchConnections`, of ann.
    pub(super) connection_watch: String,
    /// `WatchConnections`, of all.
    pub(super) all_connections_watch: String,
}

/// A table of a store: its name and its rows.
pub(super) type Stored = (String, Vec<Vec<Value>>);

impl World {
    pub(super) async fn start() -> Self {
        let pair = Pair::start().await;
        for invitee in ["bob", "cat"] {
            pair.sent("ann", invitee).await;
        }
        for inviter in ["dan", "eve"] {
            pair.sent(inviter, "ann").await;
        }
        for inviter in ["fay", "gus"] {
            let id = pair.sent(inviter, "ann").await;
            pair.decline("ann", &id, DeclineReason::Spam).await.unwrap();
        }
        for other in ["hal", "ida"] {
            pair.connect("ann", other).await;
            let noted = pair.note("ann", other, &["friends"], Some("a note")).await;
            assert_eq!(noted.unwrap().labels, ["friends"]);
        }
        // Of those whom ann and hal know, so that there are more pages than one.
        for other in ["mia", "ned"] {
            pair.connect("ann", other).await;
            pair.connect("hal", other).await;
        }
        for other in ["oda", "pia"] {
            pair.connect("hal", other).await;
        }
        for other in ["jon", "kim"] {
            pair.block("ann", other).await.unwrap();
        }
        let id = pair.sent("ann", "leo").await;
        pair.withdraw("ann", &id).await.unwrap();
        let tokens = tokens(&pair).await;
        let wire = Wire::to(&pair).await;
        let world = Self { pair, wire, tokens };
        world.wait_until_nothing_is_under_way().await;
        world
    }

    /// Every table of both stores.
    pub(super) fn stored(&self) -> Vec<Stored> {
        let mut stored = Vec::new();
        for file in [self.pair.invitation_file(), self.pair.connection_file()] {
            let conn = rusqlite::Connection::open(&file).unwrap();
            let names = "select name from sqlite_schema where type = 'table' order by name";
            let mut names = conn.prepare(names).unwrap();
            let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
            for name in names.map(Result::unwrap) {
                let mut rows = conn.prepare(&format!("select * from \"{name}\"")).unwrap();
                let columns = rows.column_count();
                let rows = rows.query_map([], |row| (0..columns).map(|at| row.get(at)).collect());
                let rows = rows.unwrap().map(Result::unwrap).collect();
                stored.push((format!("{}: {name}", file.display()), rows));
            }
        }
        assert!(stored.len() > 10, "both stores have tables");
        stored
    }

    /// The clock stands still, so nothing becomes due; what is left is that the feed is followed to its end and acknowledged.
    async fn wait_until_nothing_is_under_way(&self) {
        eventually("the feed was followed to its end", || async {
            let number = |file, query| -> Option<i64> {
                let conn = rusqlite::Connection::open(file).ok()?;
                conn.query_row(query, [], |row| row.get(0)).ok()
            };
            let connections = self.pair.connection_file();
            let head = number(connections.clone(), "select head from meta")?;
            let acknowledged = number(connections, "select acknowledged from meta")?;
            let invitations = self.pair.invitation_file();
            let followed = number(invitations, "select feed_position from meta")?;
            (head == acknowledged && head == followed).then_some(())
        })
        .await;
    }
}

async fn tokens(pair: &Pair) -> Tokens {
    let member_id = || "ann".to_owned();
    let sent = invitation::ListInvitationsRequest {
        member_id: member_id(),
        r#box: InvitationBox::Sent.into(),
        page_size: 1,
        ..Default::default()
    };
    let sent = pair.invitations.clone().list_invitations(sent).await;
    let barred = invitation::ListBarredInvitersRequest {
        member_id: member_id(),
        page_size: 1,
        ..Default::default()
    };
    let barred = pair.invitations.clone().list_barred_inviters(barred).await;
    let connections = connection::ListConnectionsRequest {
        member_id: member_id(),
        page_size: 1,
        ..Default::default()
    };
    let labelled = connection::ListConnectionsRequest {
        label: "friends".to_owned(),
        ..connections.clone()
    };
    let connections = pair.connections.clone().list_connections(connections).await;
    let labelled = pair.connections.clone().list_connections(labelled).await;
    let blocked = connection::ListBlockedMembersRequest {
        member_id: member_id(),
        page_size: 1,
        ..Default::default()
    };
    let blocked = pair.blocks.clone().list_blocked_members(blocked).await;
    let (mutual, suggested) = network_pages(pair).await;
    let facts = acquaint_proto::connection::internal::v1::ListFactsRequest {
        page_size: 1,
        ..Default::default()
    };
    let facts = pair.facts.clone().list_facts(facts).await;
    let tokens = Tokens {
        sent: sent.unwrap().into_inner().next_page_token,
        barred: barred.unwrap().into_inner().next_page_token,
        acts: acts_of_ann(pair).await,
        connections: connections.unwrap().into_inner().next_page_token,
        labelled: labelled.unwrap().into_inner().next_page_token,
        mutual,
        suggested,
        blocked: blocked.unwrap().into_inner().next_page_token,
        facts: facts.unwrap().into_inner().next_page_token,
        invitation_watch: invitations_from(pair, Some(member_id())).await,
        all_invitations_watch: invitations_from(pair, None).await,
        connection_watch: connections_from(pair, Some(member_id())).await,
        all_connections_watch: connections_from(pair, None).await,
    };
    let pages = [
        &tokens.sent,
        &tokens.barred,
        &tokens.acts,
        &tokens.connections,
        &tokens.labelled,
        &tokens.mutual,
        &tokens.suggested,
        &tokens.blocked,
    ];
    assert!(
        pages.iter().all(|token| !token.is_empty()),
        "each list has a second page"
    );
    tokens
}

async fn network_pages(pair: &Pair) -> (String, String) {
    let mutual = connection::ListMutualConnectionsRequest {
        member_id: "ann".to_owned(),
        other_id: "hal".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let mutual = pair
        .connections
        .clone()
        .list_mutual_connections(mutual)
        .await;
    let suggest = connection::SuggestConnectionsRequest {
        member_id: "ann".to_owned(),
        page_size: 1,
        ..Default::default()
    };
    let suggested = pair.connections.clone().suggest_connections(suggest).await;
    (
        mutual.unwrap().into_inner().next_page_token,
        suggested.unwrap().into_inner().next_page_token,
    )
}

async fn acts_of_ann(pair: &Pair) -> String {
    let mut operator = pair.operator().await;
    let member_id = || "ann".to_owned();
    for weekly_cap in [Some(60), None] {
        let request = invitation::SetWeeklyCapRequest {
            member_id: member_id(),
            weekly_cap,
            ..Default::default()
        };
        operator.set_weekly_cap(request).await.unwrap();
    }
    let request = invitation::ListStandingActionsRequest {
        member_id: member_id(),
        page_size: 1,
        ..Default::default()
    };
    let page = operator.list_standing_actions(request).await.unwrap();
    page.into_inner().next_page_token
}

async fn invitations_from(pair: &Pair, member: Option<String>) -> String {
    use invitation::watch_invitations_request::Scope;
    let request = invitation::WatchInvitationsRequest {
        scope: Some(member.map_or(Scope::AllMembers(true), Scope::MemberId)),
        resume_token: String::new(),
    };
    let stream = pair.invitations.clone().watch_invitations(request).await;
    let first = stream.unwrap().into_inner().message().await.unwrap();
    first.unwrap().resume_token
}

async fn connections_from(pair: &Pair, member: Option<String>) -> String {
    use connection::watch_connections_request::Scope;
    let request = connection::WatchConnectionsRequest {
        scope: Some(member.map_or(Scope::AllMembers(true), Scope::MemberId)),
        resume_token: String::new(),
    };
    let stream = pair.connections.clone().watch_connections(request).await;
    let first = stream.unwrap().into_inner().message().await.unwrap();
    first.unwrap().resume_token
}

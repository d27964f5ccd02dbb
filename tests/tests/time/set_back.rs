//! A clock that is set back, or jumps and comes back: the stores' time goes on.

use acquaint_proto::{
    connection::v1::ListConnectionsRequest,
    invitation::v1::{InvitationBox, InvitationOrder, ListInvitationsRequest},
};
use acquaint_tests::{
    pair::{Pair, START, Setup},
    refusal::reason,
};
use service_kit::time::Span;

use crate::clock::{now, time};

const WEEK: Span = Span::days(7);

#[tokio::test(flavor = "multi_thread")]
async fn no_place_reopens_when_the_clock_is_set_back() {
    let mut setup = Setup::default();
    setup.invitation_policy.weekly_cap = 1;
    let mut pair = Pair::with(setup).await;
    pair.sent("ann", "bob").await;
    for back in [Span::millis(1), Span::days(1), WEEK, Span::days(400)] {
        pair.clock.set(START.minus(back));
        let refused = reason(pair.send("ann", "cyd").await);
        assert_eq!(refused, "WEEKLY_CAP_REACHED", "{back:?}");
        assert_eq!(pair.quota("ann").await.used, 1, "{back:?}");
    }
    // Nor after a restart, when nothing but the file remembers.
    pair.stop_invitation_service().await;
    pair.start_invitation_service().await;
    pair.wait_for_feed().await;
    let refused = reason(pair.send("ann", "cyd").await);
    assert_eq!(refused, "WEEKLY_CAP_REACHED");
    assert_eq!(pair.quota("ann").await.used, 1);
    pair.clock.set(START.plus(WEEK));
    pair.sent("ann", "cyd").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_place_reopens_when_the_clock_had_jumped_ahead_for_a_moment() {
    let mut setup = Setup::default();
    setup.invitation_policy.weekly_cap = 2;
    let pair = Pair::with(setup).await;
    pair.sent("ann", "bob").await;
    pair.sent("ann", "cyd").await;
    pair.clock.set(START.plus(Span::days(8)));
    // Refused whatever the cap, but whatever counts places in front of the store has looked at the clock.
    assert_eq!(reason(pair.send("ann", "ann").await), "SELF_REFERENCE");
    pair.clock.set(START.plus(Span::seconds(1)));
    let refused = reason(pair.send("ann", "dan").await);
    assert_eq!(refused, "WEEKLY_CAP_REACHED");
    assert_eq!(pair.quota("ann").await.used, 2);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_and_times_never_go_back_and_lists_keep_their_order() {
    let mut pair = Pair::start().await;
    let mut sent = Vec::new();
    let backs = [0, 1, 1_000, 86_400_000, 86_400_000_000];
    for (number, back) in backs.into_iter().enumerate() {
        pair.clock.set(START.minus(Span::millis(back)));
        let answer = pair.send("ann", &format!("bob-{number}")).await.unwrap();
        sent.push(answer.invitation.unwrap());
    }
    pair.stop_invitation_service().await;
    pair.start_invitation_service().await;
    let answer = pair.send("ann", "bob-after").await.unwrap();
    sent.push(answer.invitation.unwrap());
    for (earlier, later) in sent.iter().zip(sent.iter().skip(1)) {
        assert!(earlier.invitation_id < later.invitation_id);
        let times = [earlier, later].map(|one| time(one.create_time));
        assert!(times[0] <= times[1], "{times:?}");
    }
    let ids = |list: Vec<acquaint_proto::invitation::v1::Invitation>| -> Vec<_> {
        list.into_iter().map(|one| one.invitation_id).collect()
    };
    let in_order = ids(sent.clone());
    let mut newest_first = in_order.clone();
    newest_first.reverse();
    let listed = ids(pair.list("ann", InvitationBox::Sent).await);
    assert_eq!(listed, newest_first);
    let request = ListInvitationsRequest {
        member_id: "ann".to_owned(),
        r#box: InvitationBox::Sent.into(),
        order: InvitationOrder::Oldest.into(),
        page_size: 2,
        ..Default::default()
    };
    assert_eq!(pages(&pair, request).await, in_order);
    pair.stop().await;
}

async fn pages(pair: &Pair, mut request: ListInvitationsRequest) -> Vec<String> {
    let mut client = pair.invitations.clone();
    let mut ids = Vec::new();
    loop {
        let page = client.list_invitations(request.clone()).await.unwrap();
        let page = page.into_inner();
        ids.extend(page.invitations.into_iter().map(|one| one.invitation_id));
        if page.next_page_token.is_empty() {
            return ids;
        }
        request.page_token = page.next_page_token;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_keep_the_order_in_which_they_were_made() {
    let mut pair = Pair::start().await;
    let mut made = Vec::new();
    for back in [0, 5, 86_400_000] {
        pair.clock.set(START.minus(Span::millis(back)));
        let other = format!("bob-{back}");
        pair.connect("ann", &other).await;
        made.push(other);
    }
    pair.stop_connection_service().await;
    pair.start_connection_service().await;
    pair.clock.set(START.minus(Span::days(3)));
    let id = pair.sent("ann", "bob-after").await;
    acquaint_tests::wait::eventually("the last is connected", || async {
        // Where connection-service is not reached at once, the wait is on the clock.
        pair.advance(Span::seconds(1));
        let accepted = pair.accept("bob-after", &id).await.unwrap();
        accepted.connection
    })
    .await;
    made.push("bob-after".to_owned());
    let request = ListConnectionsRequest {
        member_id: "ann".to_owned(),
        ..Default::default()
    };
    let mut client = pair.connections.clone();
    let listed = client.list_connections(request).await.unwrap().into_inner();
    let times: Vec<_> = listed
        .connections
        .iter()
        .map(|one| time(one.connect_time))
        .collect();
    assert!(
        times.is_sorted_by(|newer, older| newer >= older),
        "{times:?}"
    );
    assert!(times.iter().all(|at| *at >= START), "{times:?}");
    let others: Vec<_> = listed
        .connections
        .into_iter()
        .map(|one| one.other_id)
        .collect();
    assert!(others.contains(&"bob-after".to_owned()), "{others:?}");
    assert_eq!(others.len(), made.len());
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_lives_its_full_time_when_the_clock_was_set_back() {
    let pair = Pair::start().await;
    pair.sent("ann", "bob").await;
    pair.clock.set(START.minus(Span::days(30)));
    let answer = pair.send("ann", "cyd").await.unwrap().invitation.unwrap();
    assert_eq!(time(answer.create_time), START);
    assert_eq!(time(answer.expire_time), START.plus(Span::days(180)));
    assert!(now(&pair) < START);
    assert_eq!(pair.list("cyd", InvitationBox::Received).await.len(), 1);
    pair.stop().await;
}

//! Resuming exactly after a token: nothing is told twice, nothing is missed, and what was silent stays so.

use acquaint_proto::{
    connection::v1::{WatchConnectionsResponse, watch_connections_response::Content as Connection},
    invitation::v1::{
        DeclineReason, WatchInvitationsResponse, member_invitation_event::Change,
        watch_invitations_response::Content as Invitation,
    },
};
use acquaint_tests::{
    pair::Pair,
    watcher::{ConnectionWatcher, InvitationWatcher, Message, Scope, Watcher},
};

/// A few invitations of every fate: in all eleven events of invitations and three of connections.
pub(crate) async fn some_events(pair: &Pair) {
    pair.connect("ann", "bob").await;
    let id = pair.sent("cyd", "bob").await;
    pair.withdraw("cyd", &id).await.unwrap();
    let id = pair.sent("ann", "dan").await;
    let declined = pair.decline("dan", &id, DeclineReason::NotNow).await;
    declined.unwrap();
    pair.undo("dan", &id).await.unwrap();
    pair.connect("eve", "bob").await;
    pair.remove("bob", "ann").await.unwrap();
}

const INVITATION_EVENTS: usize = 11;
const CONNECTION_EVENTS: usize = 3;

/// A message apart from its token, which is sealed anew each time.
trait Said {
    type Content: PartialEq + std::fmt::Debug;
    fn said(self) -> Self::Content;
}

impl Said for WatchInvitationsResponse {
    type Content = Option<Invitation>;
    fn said(self) -> Self::Content {
        self.content.map(|content| match content {
            // Whom to tell is worked out as it is delivered.
            Invitation::Event(mut event) => {
                event.notify.clear();
                Invitation::Event(event)
            }
            other => other,
        })
    }
}

impl Said for WatchConnectionsResponse {
    type Content = Option<Connection>;
    fn said(self) -> Self::Content {
        self.content
    }
}

/// From each message on, what follows is what followed the first time.
async fn resumes_exactly<M: Message + Said>(pair: &Pair, from_the_start: &str, events: usize) {
    let mut first = Watcher::<M>::after(pair, Scope::AllMembers, from_the_start)
        .await
        .unwrap();
    let mut tokens = Vec::new();
    let mut said = Vec::new();
    for _ in 0..events {
        let message = first.next().await.unwrap();
        tokens.push(message.token().to_owned());
        said.push(message.said());
    }
    for (number, token) in tokens.iter().enumerate() {
        let mut again = Watcher::<M>::after(pair, Scope::AllMembers, token)
            .await
            .unwrap();
        for expected in said.iter().skip(number + 1) {
            assert_eq!(again.next().await.unwrap().said(), *expected);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_of_all_members_resumes_exactly_after_its_token() {
    let pair = Pair::start().await;
    let invitations = InvitationWatcher::now(&pair, Scope::AllMembers).await.token;
    let connections = ConnectionWatcher::now(&pair, Scope::AllMembers).await.token;
    some_events(&pair).await;
    resumes_exactly::<WatchInvitationsResponse>(&pair, &invitations, INVITATION_EVENTS).await;
    resumes_exactly::<WatchConnectionsResponse>(&pair, &connections, CONNECTION_EVENTS).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_came_and_went_while_nobody_watched_is_not_told_of() {
    let pair = Pair::start().await;
    let token = InvitationWatcher::now(&pair, Scope::member("bob"))
        .await
        .token;
    let id = pair.sent("ann", "bob").await;
    pair.withdraw("ann", &id).await.unwrap();
    let stays = pair.sent("cyd", "bob").await;
    assert_eq!(told_after(&pair, "bob", &token).await, [("listed", stays)]);
    pair.stop().await;
}

/// Everything that a member's watch tells after a token: what became of which invitation, until nothing more comes.
async fn told_after(pair: &Pair, member: &str, token: &str) -> Vec<(&'static str, String)> {
    let mut watcher = InvitationWatcher::after(pair, Scope::member(member), token)
        .await
        .unwrap();
    // What happens last is told last.
    let last = pair.sent("the.last", member).await;
    let mut told = Vec::new();
    loop {
        let change = change(watcher.next().await.unwrap());
        if change == ("listed", last.clone()) {
            return told;
        }
        told.push(change);
    }
}

fn change(message: WatchInvitationsResponse) -> (&'static str, String) {
    let Some(Invitation::MemberEvent(event)) = message.content else {
        panic!("not an event of a member: {message:?}");
    };
    match event.change.unwrap() {
        Change::Listed(listed) => ("listed", listed.invitation.unwrap().invitation_id),
        Change::Gone(gone) => ("gone", gone.invitation_id),
        Change::Seen(seen) => ("seen", seen.until_invitation_id),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_came_and_went_stays_untold_when_the_catching_up_breaks_off() {
    let pair = Pair::start().await;
    let token = InvitationWatcher::now(&pair, Scope::member("bob"))
        .await
        .token;
    let gone = pair.sent("ann", "bob").await;
    let first = pair.sent("cyd", "bob").await;
    let second = pair.sent("dan", "bob").await;
    pair.withdraw("ann", &gone).await.unwrap();
    let mut watcher = InvitationWatcher::after(&pair, Scope::member("bob"), &token)
        .await
        .unwrap();
    let message = watcher.next().await.unwrap();
    assert_eq!(change(message), ("listed", first));
    let after_first = watcher.token.clone();
    drop(watcher);
    let told = told_after(&pair, "bob", &after_first).await;
    assert_eq!(told, [("listed", second)]);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_told_of_ahead_of_the_events_is_gone_when_it_goes() {
    let pair = Pair::start().await;
    let comes_back = pair.sent("ann", "bob").await;
    let token = InvitationWatcher::now(&pair, Scope::member("bob"))
        .await
        .token;
    let declined = pair
        .decline("bob", &comes_back, DeclineReason::NotNow)
        .await;
    declined.unwrap();
    let first = pair.sent("cyd", "bob").await;
    pair.undo("bob", &comes_back).await.unwrap();
    let second = pair.sent("dan", "bob").await;
    let mut watcher = InvitationWatcher::after(&pair, Scope::member("bob"), &token)
        .await
        .unwrap();
    // It left the list and came back; the second of these has been told ahead of its coming back.
    for expected in [&comes_back, &first] {
        let message = watcher.next().await.unwrap();
        assert_eq!(change(message), ("listed", expected.clone()));
    }
    let token = watcher.token.clone();
    drop(watcher);
    pair.withdraw("ann", &comes_back).await.unwrap();
    let mut told = told_after(&pair, "bob", &token).await;
    told.sort_unstable();
    assert_eq!(told, [("gone", comes_back), ("listed", second)]);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_came_and_went_while_nobody_watched_is_not_told_of() {
    let pair = Pair::start().await;
    let scope = Scope::member("bob");
    let token = ConnectionWatcher::now(&pair, scope.clone()).await.token;
    pair.connect("ann", "bob").await;
    pair.remove("ann", "bob").await.unwrap();
    pair.connect("cyd", "bob").await;
    let mut watcher = ConnectionWatcher::after(&pair, scope, &token)
        .await
        .unwrap();
    let mut list = acquaint_tests::watcher::ConnectionList::default();
    let message = watcher.next().await.unwrap();
    assert_eq!(list.fold(&message), None);
    assert_eq!(list.0.keys().collect::<Vec<_>>(), ["cyd"]);
    pair.stop().await;
}

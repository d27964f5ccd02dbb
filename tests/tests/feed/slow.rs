//! A consumer that takes nothing is cut, told why, and resumes without a gap.

use std::time::Duration;

use acquaint_proto::invitation::v1::SendInvitationRequest;
use acquaint_tests::{
    Invitations,
    pair::{Pair, Setup},
    refusal::Refusal,
    watcher::{InvitationLists, InvitationWatcher, Scope},
};
use tonic::{Code, transport::Channel};

/// How many invitations wait: more than the service, the wire and this client's windows hold.
const INVITATIONS: u32 = 200;

async fn narrow(pair: &Pair) -> Invitations {
    let channel = Channel::from_shared(format!("http://{}", pair.invitation_address())).unwrap();
    let channel = channel
        .initial_stream_window_size(65_535)
        .initial_connection_window_size(65_535)
        .connect()
        .await
        .unwrap();
    Invitations::new(channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_that_is_too_slow_is_cut_and_resumes_after_its_last_token() {
    let mut setup = Setup::default();
    setup.watches.hand_over_max = Duration::from_millis(50);
    let pair = Pair::with(setup).await;
    let token = InvitationWatcher::now(&pair, Scope::member("bob"))
        .await
        .token;
    let sends = (0..INVITATIONS).map(|number| {
        pair.send_with(SendInvitationRequest {
            inviter_id: format!("inviter-{number}"),
            invitee_id: "bob".to_owned(),
            note: "\u{1F600}".repeat(300),
            ..Default::default()
        })
    });
    for sent in futures::future::join_all(sends).await {
        sent.unwrap();
    }
    let listed = InvitationLists::of(&pair, "bob").await;
    let mut client = narrow(&pair).await;
    let mut away = Duration::from_millis(200);
    // The longer it takes nothing, the surer it is cut, however slow the machine.
    let (mut lists, token) = loop {
        let scope = Scope::member("bob");
        let mut watcher = InvitationWatcher::with(client.clone(), scope, &token)
            .await
            .unwrap();
        tokio::time::sleep(away).await;
        let mut lists = InvitationLists::default();
        let cut = loop {
            match watcher.next().await {
                Ok(message) => assert_eq!(lists.fold(&message), None),
                Err(cut) => break Some(cut),
            }
            if lists == listed {
                break None;
            }
        };
        if let Some(cut) = cut {
            let refusal = Refusal::of(&cut);
            assert_eq!(refusal.code, Code::ResourceExhausted);
            assert_eq!(refusal.reason, "CONSUMER_TOO_SLOW");
            break (lists, watcher.token);
        }
        assert!(away < Duration::from_secs(10), "never cut");
        away *= 2;
        client = narrow(&pair).await;
    };
    assert!(!lists.0.is_empty() && lists != listed);
    let scope = Scope::member("bob");
    let mut watcher = InvitationWatcher::after(&pair, scope, &token)
        .await
        .unwrap();
    while lists != listed {
        let message = watcher.next().await.unwrap();
        assert_eq!(lists.fold(&message), None);
    }
    pair.stop().await;
}

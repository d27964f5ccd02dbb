//! Reasons that lie in a limit.

use acquaint_tests::pair::{Pair, Setup};
use service_kit::{clock::Clock as _, time::Span};
use tonic::Status;

/// The weekly cap with and without a next place, the cool-down after a withdrawal, the pending cap, a restriction.
pub(super) async fn of_invitations() -> Vec<Status> {
    let mut setup = Setup::default();
    setup.invitation_policy.weekly_cap = 2;
    setup.invitation_policy.pending_sent_max = 1;
    setup.invitation_policy.withdraw_cooldown = Span::days(21);
    let mut pair = Pair::with(setup).await;
    let id = pair.sent("ann", "bob").await;
    let mut refused = vec![pair.send("ann", "cat").await.unwrap_err()];
    pair.withdraw("ann", &id).await.unwrap();
    refused.push(pair.send("ann", "bob").await.unwrap_err());
    pair.sent("ann", "cat").await;
    refused.push(pair.send("ann", "dan").await.unwrap_err());
    pair.change(|setup| setup.invitation_policy.weekly_cap = 0);
    pair.stop_invitation_service().await;
    pair.start_invitation_service().await;
    refused.push(pair.send("ann", "dan").await.unwrap_err());
    let day = pair.clock.now().plus(Span::days(1));
    crate::standing::restrict(&pair, "eve", day).await;
    refused.push(pair.send("eve", "dan").await.unwrap_err());
    pair.stop().await;
    refused
}

/// The limits of connections, blocks and masked refusals.
pub(super) async fn of_connections() -> Vec<Status> {
    let mut setup = Setup::default();
    setup.invitation_policy.connections_max = 1;
    setup.invitation_policy.probe_refusals_max = 1;
    setup.connection_policy.connections_max = 1;
    setup.connection_policy.blocks_max = 1;
    let pair = Pair::with(setup).await;
    let (to_bob, to_cat) = (pair.sent("ann", "bob").await, pair.sent("ann", "cat").await);
    pair.accept("bob", &to_bob).await.unwrap();
    let to_bob = pair.sent("dan", "bob").await;
    let mut refused = vec![
        // Bob's own limit, ann's as cat's inviter, and ann's own.
        pair.accept("bob", &to_bob).await.unwrap_err(),
        pair.accept("cat", &to_cat).await.unwrap_err(),
        pair.send("ann", "eve").await.unwrap_err(),
    ];
    pair.block("fay", "gus").await.unwrap();
    refused.push(pair.block("fay", "hal").await.unwrap_err());
    refused.push(pair.send("gus", "fay").await.unwrap_err());
    refused.push(pair.send("gus", "hal").await.unwrap_err());
    pair.stop().await;
    refused
}

//! Figures follow what is done.

use std::net::SocketAddr;

use acquaint_proto::invitation::v1::DeclineReason;
use acquaint_tests::{
    pair::{Pair, Setup},
    scrape::{free_address, scrape, value},
    wait::eventually,
};
use service_kit::{observability::ObservabilityOptions, time::Span};

/// A pair whose figures are shown, and where.
pub(super) async fn shown() -> (Pair, SocketAddr, SocketAddr) {
    let (invitation, connection) = (free_address(), free_address());
    let at = |address| ObservabilityOptions {
        metrics_listen: Some(address),
        ..ObservabilityOptions::default()
    };
    let setup = Setup {
        invitation_shows: at(invitation),
        connection_shows: at(connection),
        ..Setup::default()
    };
    (Pair::with(setup).await, invitation, connection)
}

/// Something of everything that is counted.
pub(super) async fn life(pair: &Pair) {
    pair.connect("ann", "bob").await;
    pair.send("ann", "bob").await.unwrap_err();
    let id = pair.sent("ann", "cat").await;
    pair.decline("cat", &id, DeclineReason::NotNow)
        .await
        .unwrap();
    pair.sent("ann", "dan").await;
    pair.block("ann", "bob").await.unwrap();
    pair.advance(Span::days(200));
    eventually("an erasure is complete", || async {
        pair.erase("eve").await.then_some(())
    })
    .await;
}

fn requests(method: &str, code: &str, reason: &str) -> String {
    format!(
        "acquaint_requests_total{{component=\"invitation-service\",\
         grpc_service=\"acquaint.invitation.v1.InvitationService\",grpc_method=\"{method}\",\
         code=\"{code}\",reason=\"{reason}\"}} "
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_follow_what_is_done() {
    let (pair, invitation, connection) = shown().await;
    life(&pair).await;
    let of = |name: &str| format!("acquaint_{name}{{component=\"invitation-service\"");
    let page = eventually("the worker has expired what was sent", || async {
        let page = scrape(invitation).await;
        page.contains(
            "worker_done_total{component=\"invitation-service\",work=\"pairs\",outcome=\"done\"}",
        )
        .then_some(page)
    })
    .await;
    let count = |series: &str| value(&page, series);
    let near =
        |found: f64, expected: f64| assert!((found - expected).abs() < 0.5, "{found}: {page}");
    near(count(&requests("SendInvitation", "OK", "")), 3.0);
    let refused = requests("SendInvitation", "FAILED_PRECONDITION", "ALREADY_CONNECTED");
    near(count(&refused), 1.0);
    near(count(&requests("AcceptInvitation", "OK", "")), 1.0);
    let sends = "acquaint_request_duration_seconds_count{component=\"invitation-service\",\
                 grpc_service=\"acquaint.invitation.v1.InvitationService\",grpc_method=\"SendInvitation\"} ";
    near(count(sends), 4.0);
    near(count(&of("feed_connected")), 1.0);
    near(
        count(&(of("worker_backlog") + ",work=\"auto_withdrawals\"")),
        0.0,
    );
    near(count(&of("store_write_queue")), 0.0);
    assert!(count(&of("store_batch_commands_sum")) >= count(&of("store_batch_commands_count")));
    assert!(count(&of("store_batch_commands_count")) >= 5.0);
    assert!(count(&of("store_file_bytes")) >= 4_096.0);
    let asked = of("asks_total") + ",outcome=\"answered\"";
    assert!(count(&asked) >= 1.0, "{page}");
    let of_other = |name: &str| format!("acquaint_{name}{{component=\"connection-service\"");
    eventually("the feed has no lag", || async {
        let page = scrape(connection).await;
        assert!(
            value(&page, &of_other("feed_head_position")) >= 3.0,
            "{page}"
        );
        let lag = value(&page, &of_other("feed_lag_positions"));
        (lag < 0.5).then_some(())
    })
    .await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_not_followed_is_seen() {
    let (mut pair, invitation, connection) = shown().await;
    pair.connect("ann", "bob").await;
    pair.stop_connection_service().await;
    eventually("the feed is not connected", || async {
        let page = scrape(invitation).await;
        let series = "acquaint_feed_connected{component=\"invitation-service\"}";
        (value(&page, series) < 0.5).then_some(())
    })
    .await;
    pair.start_connection_service().await;
    pair.stop_invitation_service().await;
    pair.block("ann", "bob").await.unwrap();
    pair.advance(Span::seconds(7));
    eventually("the feed lags", || async {
        let page = scrape(connection).await;
        let of = |name: &str| format!("acquaint_{name}{{component=\"connection-service\"}}");
        let (facts, seconds) = (
            value(&page, &of("feed_lag_positions")),
            value(&page, &of("feed_lag_seconds")),
        );
        (facts >= 1.0 && (7.0..8.0).contains(&seconds)).then_some(())
    })
    .await;
    pair.start_invitation_service().await;
    pair.stop().await;
}

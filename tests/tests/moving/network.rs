//! A real network, moved in: equal to its file read naively, and again without a change.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use acquaint_proto::connection::v1::{ExportConnectionsRequest, ListConnectionsRequest};
use acquaint_tests::{
    moving::{Row, friendships, import},
    pair::{Pair, Setup},
    rig::check::{STORED, Stores},
    wait::eventually,
};
use service_kit::{
    clock::Clock as _,
    time::{Span, Time},
};

/// Of so many rows it is awaited that the other service knows them too.
const FOLDED: usize = 5_000;

fn rows(now: Time) -> Vec<Row> {
    let name = |person: u32| format!("person-{person}");
    let pairs = friendships().into_iter().enumerate();
    pairs
        .map(|(nth, (one, other))| {
            // Some at one moment, in no order.
            let age = i64::try_from(nth * 7_919 % 50_000).unwrap();
            (name(one), name(other), now.minus(Span::seconds(age)))
        })
        .collect()
}

/// Everybody's connections, newest first, by going through the rows.
fn naive(rows: &[Row]) -> HashMap<&str, BTreeSet<(i64, &str)>> {
    let mut lists: HashMap<&str, BTreeSet<(i64, &str)>> = HashMap::new();
    for (one, other, time) in rows {
        for (one, other) in [(one, other), (other, one)] {
            lists.entry(one).or_default().insert((time.millis(), other));
        }
    }
    lists
}

async fn listed(pair: &Pair, member: &str) -> (Vec<(i64, String)>, i32) {
    let mut lines = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = ListConnectionsRequest {
            member_id: member.to_owned(),
            page_size: 1_000,
            page_token,
            ..Default::default()
        };
        let page = pair.connections.clone().list_connections(request).await;
        let page = page.unwrap().into_inner();
        lines.extend(page.connections.into_iter().map(|line| {
            let time = line.connect_time.unwrap();
            let millis = time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000;
            (millis, line.other_id)
        }));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return (lines, page.total_size);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_network_moves_in_as_its_file_has_it() {
    let mut setup = Setup::default();
    setup.invitation_policy.connections_max = 2_000;
    let pair = Pair::with(setup).await;
    pair.wait_for_feed().await;
    let rows = rows(pair.clock.now());
    let part = &rows[..FOLDED];
    let created = import(&pair.connections, part).await.unwrap().created_count;
    assert_eq!(usize::try_from(created), Ok(FOLDED));
    folded(&pair).await;
    let first = import(&pair.connections, &rows).await.unwrap();
    assert_eq!(first.row_count, 88_234);
    assert_eq!(
        (first.existing_count, first.created_count),
        (created, 88_234 - created)
    );
    assert!(first.refusals.is_empty(), "{first:?}");
    let naive = naive(&rows);
    assert_eq!(naive.len(), 4_039);
    let mut by_degree: BTreeMap<usize, &str> = BTreeMap::new();
    for (member, expected) in &naive {
        by_degree.insert(expected.len(), member);
        let (lines, total) = listed(&pair, member).await;
        let lines: Vec<_> = lines
            .iter()
            .map(|(time, other)| (*time, other.as_str()))
            .collect();
        let expected: Vec<_> = expected.iter().rev().copied().collect();
        assert_eq!(lines, expected, "{member}");
        assert_eq!(usize::try_from(total), Ok(lines.len()), "{member}");
    }
    let (_, popular) = by_degree.last_key_value().unwrap();
    let exported = ExportConnectionsRequest {
        member_id: (*popular).to_owned(),
        format: 0,
    };
    let mut exported = pair
        .connections
        .clone()
        .export_connections(exported)
        .await
        .unwrap()
        .into_inner();
    let mut others = Vec::new();
    while let Some(message) = exported.message().await.unwrap() {
        others.extend(message.connections.into_iter().map(|line| line.other_id));
    }
    let expected = naive[popular].iter().rev();
    assert!(
        others.iter().eq(expected.map(|(_, other)| *other)),
        "{popular}"
    );
    let head = head(&pair);
    assert_eq!(head, ["88234"]);
    let again = import(&pair.connections, &rows).await.unwrap();
    assert_eq!((again.created_count, again.existing_count), (0, 88_234));
    assert_eq!(self::head(&pair), head, "nothing was told");
    pair.stop().await;
}

/// The last position of the feed.
fn head(pair: &Pair) -> Vec<String> {
    let stores = Stores::of_files([&pair.invitation_file(), &pair.connection_file()]);
    stores.rows("select head from c.meta")
}

/// Waits until the other service knows all that was imported, and checks that both agree.
async fn folded(pair: &Pair) {
    let stores = Stores::of_files([&pair.invitation_file(), &pair.connection_file()]);
    eventually("everything is folded", || async {
        let behind = "select 1 from i.meta, c.meta where i.meta.feed_position <> c.meta.head
             or c.meta.acknowledged <> c.meta.head";
        stores.rows(behind).is_empty().then_some(())
    })
    .await;
    assert_eq!(stores.violations_of(STORED), Vec::<String>::new());
}

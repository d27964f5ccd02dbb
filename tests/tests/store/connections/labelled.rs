//! Lists and selections of connections by label, and pages with much noted on them.

use super::labels::{shown, with_label};
use super::*;
use connection_service::domain::card::Card;
use connection_service::domain::connection_list::{Filter, ListQuery, Order};
use connection_service::domain::search::Search;
use connection_service::store::PutCard;

over_every_engine! {
    those_with_a_label_are_paged_newest_first,
    a_label_goes_with_every_other_filter_and_order,
    a_page_ends_where_there_is_too_much_noted_on_it,
    a_selection_takes_the_oldest_and_counts_the_rest,
}

async fn those_with_a_label_are_paged_newest_first(engine: Engine) {
    let f = Fixture::on(engine).await;
    for (n, other) in ["b", "c", "d", "e", "f", "g"].iter().enumerate() {
        f.connect("a", other).await;
        let labels: &[&str] = if *other == "d" { &["no"] } else { &["yes"] };
        f.label("a", other, labels).await.unwrap();
        // Two at the same moment.
        f.tick(i64::from(n != 1));
    }
    let mut request = ListRequest {
        query: ListQuery {
            filter: with_label(Some("yes")),
            ..ListQuery::default()
        },
        ..ListRequest::newest(2)
    };
    let mut seen = Vec::new();
    loop {
        let page = f.store.connections(id("a"), request.clone()).await.unwrap();
        assert_eq!((page.total.number, page.total.is_minimum), (5, false));
        assert!(page.lines.len() <= 2);
        seen.extend(page.lines.iter().map(shown));
        request.after = page.next;
        if request.after.is_none() {
            break;
        }
    }
    assert_eq!(
        seen,
        ["g [yes]", "f [yes]", "e [yes]", "c [yes]", "b [yes]"]
    );
}

async fn a_label_goes_with_every_other_filter_and_order(engine: Engine) {
    let f = Fixture::on(engine).await;
    for (other, first_name) in [("b", "Zoe"), ("c", "Ann"), ("d", "Anton"), ("e", "")] {
        f.tick(10);
        f.connect("a", other).await;
        let labels: &[&str] = if other == "c" { &["no"] } else { &["yes"] };
        f.update("a", other, Some(labels), Some("n")).await.unwrap();
        let card = Card {
            first_name: first_name.to_owned(),
            ..Card::default()
        };
        let put = vec![PutCard::new(id(other), card)];
        assert_eq!(f.store.put_cards(put).await.unwrap(), [Ok(())]);
    }
    let found = async |filter: Filter, order| {
        let page = f.filtered("a", filter, order).await;
        let others = page.lines.iter().map(|line| line.other.to_string());
        assert!(page.lines.iter().all(|line| shown(line).ends_with(" n")));
        others.collect::<String>()
    };
    let yes = || with_label(Some("yes"));
    assert_eq!(found(yes(), Order::Recent).await, "edb");
    assert_eq!(found(yes(), Order::FirstName).await, "dbe");
    let search = |text| Search::parse(text, 100).unwrap();
    let an = |filter| Filter {
        search: search("an"),
        ..filter
    };
    assert_eq!(found(an(yes()), Order::Recent).await, "d");
    assert_eq!(found(an(Filter::default()), Order::FirstName).await, "cd");
    let between = Filter {
        connected_after: Some(START.plus(Span::millis(10))),
        connected_before: Some(START.plus(Span::millis(40))),
        ..yes()
    };
    assert_eq!(found(between, Order::Recent).await, "d");
    assert_eq!(found(with_label(Some("x")), Order::LastName).await, "");
    let oldest = async |filter| {
        let selected = f.store.select_connections(id("a"), filter, 9, 9).await;
        names(&selected.unwrap().lines).concat()
    };
    assert_eq!(oldest(an(yes())).await, "d");
    assert_eq!(oldest(an(Filter::default())).await, "cd");
}

async fn a_page_ends_where_there_is_too_much_noted_on_it(engine: Engine) {
    let f = Fixture::on(engine).await;
    let note = "n".repeat(100);
    for other in ["b", "c", "d", "e"] {
        f.tick(1);
        f.connect("a", other).await;
        f.update("a", other, None, Some(&note)).await.unwrap();
    }
    for order in [Order::Recent, Order::FirstName] {
        for (noted_bytes_max, pages) in [(usize::MAX, 1), (220, 2), (110, 4), (0, 4)] {
            let mut request = ListRequest {
                query: ListQuery {
                    order,
                    ..ListQuery::default()
                },
                noted_bytes_max,
                ..ListRequest::newest(9)
            };
            let (mut seen, mut read) = (Vec::new(), 0);
            loop {
                let page = f.store.connections(id("a"), request.clone()).await.unwrap();
                read += 1;
                seen.extend(page.lines.iter().map(|line| line.other.to_string()));
                request.after = page.next;
                if request.after.is_none() {
                    break;
                }
            }
            assert_eq!(read, pages, "{order:?} {noted_bytes_max}");
            seen.sort();
            assert_eq!(seen, ["b", "c", "d", "e"]);
        }
    }
}

async fn a_selection_takes_the_oldest_and_counts_the_rest(engine: Engine) {
    let f = Fixture::on(engine).await;
    for other in ["b", "c", "d", "e", "f"] {
        f.tick(10);
        f.connect("a", other).await;
        let labels: &[&str] = if other == "d" { &[] } else { &["l"] };
        f.label("a", other, labels).await.unwrap();
    }
    let since = |tens: i64| Some(START.plus(Span::millis(tens * 10)));
    let select = async |of: Option<&str>, from, to, limit, count_max| {
        let filter = Filter {
            connected_after: from,
            connected_before: to,
            ..with_label(of)
        };
        let selected = f
            .store
            .select_connections(id("a"), filter, limit, count_max);
        let selected = selected.await.unwrap();
        (names(&selected.lines).concat(), selected.matched)
    };
    let found = |names: &str, matched| (names.to_owned(), matched);
    assert_eq!(select(None, None, None, 2, 9).await, found("bc", 5));
    assert_eq!(select(None, None, None, 9, 3).await, found("bcd", 3));
    assert_eq!(select(Some("l"), None, None, 3, 9).await, found("bce", 4));
    assert_eq!(select(Some("x"), None, None, 3, 9).await, found("", 0));
    // Both borders are outside.
    assert_eq!(select(None, since(2), since(5), 9, 9).await, found("de", 2));
    assert_eq!(
        select(Some("l"), since(2), None, 9, 9).await,
        found("ef", 2)
    );
    assert_eq!(select(Some("l"), None, since(2), 9, 9).await, found("b", 1));
}

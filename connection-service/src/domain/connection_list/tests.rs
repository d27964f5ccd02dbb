//! Orders, filters and places by tables; and pages of any list against sorting all of it.

use proptest::prelude::*;

use super::super::card::{Card, CardKeys};
use super::super::fixtures::{at, id};
use super::*;

/// A connection with what follows from a card.
#[derive(Clone, Debug)]
struct Connected {
    other: String,
    connect_time: Time,
    keys: (String, String, String),
}

impl Connected {
    fn new(other: &str, millis: i64, name: Option<(&str, &str)>) -> Self {
        let keys = name.map_or_else(CardKeys::default, |(first, last)| {
            CardKeys::of(&Card {
                first_name: first.to_owned(),
                last_name: last.to_owned(),
                headline: String::new(),
            })
        });
        Self {
            other: other.to_owned(),
            connect_time: at(millis),
            keys: (
                keys.by_first_name,
                keys.by_last_name,
                keys.words.as_str().to_owned(),
            ),
        }
    }

    fn candidate(&self) -> Candidate<'_> {
        Candidate {
            other: &self.other,
            connect_time: self.connect_time,
            by_first_name: &self.keys.0,
            by_last_name: &self.keys.1,
            words: &self.keys.2,
        }
    }
}

fn people() -> Vec<Connected> {
    vec![
        Connected::new("a", 5, None),
        Connected::new("b", 1, Some(("Zoë", "Abel"))),
        Connected::new("c", 3, Some(("ada", "Zorn"))),
        Connected::new("d", 3, Some(("Ada", "Álvarez"))),
        Connected::new("e", 2, Some(("🙂", ""))),
        Connected::new("f", 4, Some(("Ada", "zorn"))),
    ]
}

fn offer_all(people: &[Connected], selection: &mut Selection<'_>) {
    for one in people {
        selection.offer(&one.candidate());
    }
}

fn search(text: &str) -> Option<Search> {
    Search::parse(text, 50).unwrap()
}

fn others(people: &[Connected], query: &ListQuery) -> String {
    let mut selection = Selection::new(query, None, 100, 100);
    offer_all(people, &mut selection);
    let (chosen, more, total) = selection.finish();
    assert!(!more && !total.is_minimum);
    assert_eq!(total.number as usize, chosen.len());
    chosen.into_iter().map(|chosen| chosen.other).collect()
}

#[test]
fn orders() {
    for (order, expected) in [
        (Order::Recent, "afdceb"),
        (Order::FirstName, "dcfbae"),
        (Order::LastName, "bdcfae"),
    ] {
        let query = ListQuery {
            order,
            filter: Filter::default(),
        };
        assert_eq!(others(&people(), &query), expected, "{order:?}");
    }
}

#[test]
fn filters() {
    let check = |search: Option<Search>, after: Option<i64>, before: Option<i64>, expected| {
        let filter = Filter {
            label: None,
            search,
            connected_after: after.map(at),
            connected_before: before.map(at),
        };
        let query = ListQuery {
            order: Order::Recent,
            filter,
        };
        assert_eq!(others(&people(), &query), expected, "{query:?}");
    };
    check(None, Some(2), None, "afdc");
    check(None, None, Some(3), "eb");
    check(None, Some(2), Some(4), "dc");
    check(None, Some(4), Some(4), "");
    check(search("ada"), None, None, "fdc");
    check(search("ada z"), Some(3), None, "f");
    check(search("nobody"), None, None, "");
    check(search("🙂"), None, None, "");
}

#[test]
fn a_list_in_the_order_of_time_is_a_range_unless_something_is_searched_for() {
    let label = || Some(Label::stored("work".to_owned()));
    let query = |order, label, search, connected_after| ListQuery {
        order,
        filter: Filter {
            label,
            search,
            connected_after,
            connected_before: None,
        },
    };
    for (query, is_a_range) in [
        (query(Order::Recent, None, None, None), true),
        (query(Order::Recent, label(), None, None), true),
        (query(Order::Recent, label(), None, Some(at(1))), true),
        (query(Order::Recent, None, None, Some(at(1))), true),
        (query(Order::Recent, None, search("ada"), None), false),
        (
            query(Order::Recent, label(), search("ada"), Some(at(1))),
            false,
        ),
        (query(Order::FirstName, None, None, None), false),
        (query(Order::LastName, label(), None, None), false),
    ] {
        assert_eq!(query.is_a_range(), is_a_range, "{query:?}");
    }
}

#[test]
fn only_what_names_decide_looks_at_cards() {
    let query = |order, search, after| ListQuery {
        order,
        filter: Filter {
            label: None,
            search,
            connected_after: after,
            connected_before: None,
        },
    };
    for (query, looks) in [
        (query(Order::Recent, None, None), false),
        (query(Order::Recent, None, Some(at(1))), false),
        (query(Order::Recent, search("a"), None), true),
        (query(Order::LastName, None, None), true),
    ] {
        assert_eq!(query.looks_at_cards(), looks, "{query:?}");
    }
}

#[test]
fn what_matches_is_counted_up_to_a_bound() {
    let query = ListQuery::default();
    for (counted_max, number, is_minimum) in [(7, 6, false), (6, 6, false), (5, 5, true)] {
        let mut selection = Selection::new(&query, None, 2, counted_max);
        let people = people();
        offer_all(&people, &mut selection);
        let (chosen, more, total) = selection.finish();
        assert_eq!(total, Total { number, is_minimum });
        assert!(more && chosen.len() == 2);
    }
}

#[test]
fn newest_first_a_full_page_and_a_full_count_settle_it() {
    let query = ListQuery::default();
    let mut people = people();
    people.sort_by_key(|one| Reverse(one.connect_time));
    let mut selection = Selection::new(&query, None, 1, 2);
    let mut looked = 0;
    for one in &people {
        if selection.is_settled_newest_first() {
            break;
        }
        looked += 1;
        selection.offer(&one.candidate());
    }
    assert_eq!(looked, 3, "one more than is counted");
    let named = ListQuery {
        order: Order::FirstName,
        ..ListQuery::default()
    };
    let mut selection = Selection::new(&named, None, 1, 2);
    offer_all(&people, &mut selection);
    assert!(!selection.is_settled_newest_first(), "a name may come yet");
}

/// Everything in the list, in its order, by sorting all of it.
fn sorted(people: &[Connected], query: &ListQuery) -> Vec<String> {
    let mut all: Vec<_> = people
        .iter()
        .filter(|one| query.filter.takes(&one.candidate()))
        .collect();
    all.sort_by(|a, b| {
        let by = |key: fn(&Connected) -> &String| {
            let (a, b) = (
                (key(a).is_empty(), key(a), &a.other),
                (key(b).is_empty(), key(b), &b.other),
            );
            a.cmp(&b)
        };
        match query.order {
            Order::Recent => (b.connect_time, &b.other).cmp(&(a.connect_time, &a.other)),
            Order::FirstName => by(|one| &one.keys.0),
            Order::LastName => by(|one| &one.keys.1),
        }
    });
    all.into_iter().map(|one| one.other.clone()).collect()
}

fn cursor(chosen: &Chosen) -> Cursor {
    let other = id(&chosen.other);
    match chosen.order {
        Order::Recent => Cursor::Recent {
            connect_time: chosen.connect_time,
            other,
        },
        Order::FirstName | Order::LastName => Cursor::Named {
            key: chosen.key.clone(),
            other,
        },
    }
}

fn any_query() -> impl Strategy<Value = ListQuery> {
    let order = prop::sample::select(vec![Order::Recent, Order::FirstName, Order::LastName]);
    let text = prop::option::of(prop::sample::select(vec!["a", "an b", "zo", "?"]));
    let time = || prop::option::of((0_i64..12).prop_map(at));
    (order, text, time(), time()).prop_map(|(order, text, connected_after, connected_before)| {
        ListQuery {
            order,
            filter: Filter {
                label: None,
                search: text.and_then(search),
                connected_after,
                connected_before,
            },
        }
    })
}

fn any_people() -> impl Strategy<Value = Vec<Connected>> {
    let name = || prop::sample::select(vec!["", "Ann", "ánn", "Bob", "Zoë", "bo", "🙂"]);
    let one = (0_i64..12, prop::option::of((name(), name())));
    prop::collection::vec(one, 0..40).prop_map(|people| {
        let people = people.into_iter().enumerate();
        people
            .map(|(n, (millis, name))| Connected::new(&format!("m{}", n * 7 % 40), millis, name))
            .collect()
    })
}

proptest! {
    #[test]
    fn pages_put_together_are_the_list(people in any_people(), query in any_query(), limit in 1_u32..6) {
        let expected = sorted(&people, &query);
        let mut seen = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let mut selection = Selection::new(&query, after.as_ref(), limit, 10);
            offer_all(&people, &mut selection);
            let (chosen, more, total) = selection.finish();
            prop_assert_eq!(total.number as usize, expected.len().min(10));
            prop_assert_eq!(total.is_minimum, expected.len() > 10);
            prop_assert_eq!(more, expected.len() - seen.len() > limit as usize);
            after = chosen.last().map(cursor);
            seen.extend(chosen.into_iter().map(|chosen| chosen.other));
            if !more {
                break;
            }
        }
        prop_assert_eq!(seen, expected);
    }
}

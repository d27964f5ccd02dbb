//! Lists of connections on random networks with names of many scripts: against plain reading and sorting of what is stored, and page by
//! page while connections and cards come and go. Each with and without rosters.

use std::collections::{BTreeMap, BTreeSet};

use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use unicode_segmentation::UnicodeSegmentation as _;

use super::*;
use connection_service::domain::card::Card;
use connection_service::domain::connection_list::{Filter, ListQuery, Order, Total};
use connection_service::domain::folding::fold;
use connection_service::domain::search::Search;
use connection_service::store::{ConnectionPage, PutCard};

over_every_engine! {
    every_list_is_what_reading_and_sorting_everything_gives,
    what_is_in_a_list_throughout_is_seen_once_whatever_else_comes_and_goes,
    a_member_without_connections_has_empty_lists,
    a_roster_that_is_far_behind_is_built_anew,
}

const FIRST_NAMES: [&str; 14] = [
    "Ana",
    "ANNA",
    "Ánna",
    "Zoë",
    "Łukasz",
    "Σίσυφος",
    "Фёдор",
    "محمد",
    "小明",
    "さくら",
    "철수",
    "राम",
    "",
    "Jean-Luc",
];
const LAST_NAMES: [&str; 10] = [
    "Müller",
    "de la Cruz",
    "Øster",
    "Толстой",
    "王",
    "김",
    "O'Brien",
    "",
    "שלום",
    "Zu",
];
const HEADLINES: [&str; 5] = ["", "Baker in Łódź", "東京 baker", "Head of R&D", "🙂"];
const QUERIES: [&str; 13] = [
    "an", "ANN mul", "lodz", "baker an", "фе", "محم", "王", "o'b", "cruz de", "r d", "nobody",
    "🙂", "jean",
];

/// Without a roster; with one that is built in several reads; with one that must often be built anew; with one that is never kept.
fn policies() -> [Policy; 4] {
    let plain = Policy {
        listed_counted_max: 10,
        // Who is erased still stands in lists for a while.
        job_chunk: 1,
        ..Policy::default()
    };
    let roster = Policy {
        roster_connections_min: 7,
        ..plain
    };
    let behind = Policy {
        member_backlog_max: 2,
        ..roster
    };
    let full = Policy {
        roster_bytes_max: 1,
        ..roster
    };
    [plain, roster, behind, full]
}

/// `m` and up to `others` others, each with or without a card, some of them connected with `m`.
async fn network(f: &Fixture, random: &mut SmallRng, others: usize) {
    for n in 0..others {
        let other = format!("o{n}");
        change_card(f, random, &other).await;
        if random.random_bool(0.8) {
            f.connect("m", &other).await;
        }
        f.tick(random.random_range(0..3));
    }
    // Somebody who knows others, too.
    f.connect("o1", "o2").await;
}

fn any_card(random: &mut SmallRng) -> Card {
    let mut one = |of: &[&str]| (*of.choose(random).unwrap()).to_owned();
    Card {
        first_name: one(&FIRST_NAMES),
        last_name: one(&LAST_NAMES),
        headline: one(&HEADLINES),
    }
}

async fn change_card(f: &Fixture, random: &mut SmallRng, member: &str) {
    if random.random_bool(0.8) {
        let put = PutCard::new(id(member), any_card(random));
        f.store.put_cards(vec![put]).await.unwrap();
    }
}

fn any_query(random: &mut SmallRng) -> (ListQuery, &'static str) {
    let orders = [Order::Recent, Order::FirstName, Order::LastName];
    let text = if random.random_bool(0.5) {
        QUERIES.choose(random).unwrap()
    } else {
        ""
    };
    let mut time = || {
        let millis = START.millis() + random.random_range(0..60);
        random.random_bool(0.3).then_some(at(millis))
    };
    let (connected_after, connected_before) = (time(), time());
    let query = ListQuery {
        order: *orders.choose(random).unwrap(),
        filter: Filter {
            label: None,
            search: Search::parse(text, 50).unwrap(),
            connected_after,
            connected_before,
        },
    };
    (query, text)
}

/// Of one who is connected with `m`: id, time, first and last name, headline.
type Stored = (String, i64, [String; 3]);

/// What is stored, without a word of how the store reads it.
async fn stored(f: &Fixture) -> Vec<Stored> {
    let sql = "select case when low = 'm' then high else low end, connect_time, first_name, last_name, headline
        from pair left join card on card.member = case when low = 'm' then high else low end
        where (low = 'm' or high = 'm') and connect_time is not null";
    let rows = f.rows().await;
    let mut statement = rows.prepare(sql).unwrap();
    let text = |row: &rusqlite::Row<'_>, at| {
        row.get::<_, Option<String>>(at)
            .map(Option::unwrap_or_default)
    };
    let rows = statement.query_map([], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            [text(row, 2)?, text(row, 3)?, text(row, 4)?],
        ))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// Whether each word of `query` is the beginning of one of the words of the texts. Not for scripts without spaces, but for single characters.
fn naive_match(query: &str, texts: &[String; 3]) -> bool {
    let (text, query) = (fold(&texts.join(" ")), fold(query));
    let words: Vec<_> = text.unicode_words().collect();
    let mut asked = query.unicode_words().peekable();
    asked.peek().is_some() && asked.all(|asked| words.iter().any(|word| word.starts_with(asked)))
}

/// Sorted by what is read in a name, by itself.
fn naive_key([first, second]: [&String; 2]) -> (bool, Vec<String>) {
    let read = |text: &str| {
        let folded = fold(text);
        folded
            .unicode_words()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let names: Vec<_> = [first, second]
        .into_iter()
        .map(|name| read(name).join(" "))
        .collect();
    let names: Vec<_> = names.into_iter().filter(|name| !name.is_empty()).collect();
    (names.is_empty(), names)
}

/// The ids of the list in its order, by reading and sorting everything.
async fn expected(f: &Fixture, query: &ListQuery, text: &str) -> Vec<String> {
    let mut all = stored(f).await;
    all.retain(|(_, time, texts)| {
        let Filter {
            label: _,
            search,
            connected_after,
            connected_before,
        } = &query.filter;
        connected_after.is_none_or(|after| *time > after.millis())
            && connected_before.is_none_or(|before| *time < before.millis())
            && (search.is_none() || naive_match(text, texts))
    });
    all.sort_by(
        |(a, a_time, [a_first, a_last, _]), (b, b_time, [b_first, b_last, _])| match query.order {
            Order::Recent => (b_time, b).cmp(&(a_time, a)),
            Order::FirstName => {
                (naive_key([a_first, a_last]), a).cmp(&(naive_key([b_first, b_last]), b))
            }
            Order::LastName => {
                (naive_key([a_last, a_first]), a).cmp(&(naive_key([b_last, b_first]), b))
            }
        },
    );
    all.into_iter().map(|(other, ..)| other).collect()
}

/// Anything that changes lists; whose connection ends or whose name changes is noted.
async fn change(f: &Fixture, random: &mut SmallRng, other: &str, touched: &mut BTreeSet<String>) {
    match random.random_range(0..5) {
        0 => {
            _ = f.remove("m", other).await.unwrap();
            touched.insert(other.to_owned());
        }
        1 => {
            change_card(f, random, other).await;
            touched.insert(other.to_owned());
        }
        2 => _ = f.ensure(random.random(), 1, "m", other).await,
        3 => {
            f.store.erase_member(id(other)).await.unwrap();
            touched.insert(other.to_owned());
        }
        _ => f.round().await,
    }
}

/// Whatever is chosen of a list to be removed is the oldest of it.
async fn check_selection(f: &Fixture, random: &mut SmallRng) {
    let (query, text) = any_query(random);
    let newest_first = ListQuery {
        order: Order::Recent,
        ..query
    };
    let mut expected = expected(f, &newest_first, text).await;
    expected.reverse();
    let (limit, count_max) = (random.random_range(0..20), random.random_range(1..60));
    let filter = newest_first.filter.clone();
    let selected = f
        .store
        .select_connections(id("m"), filter, limit, count_max);
    let selected = selected.await.unwrap();
    expected.truncate(count_max as usize);
    let matched = expected.len();
    expected.truncate(limit as usize);
    let chosen: Vec<_> = selected
        .lines
        .iter()
        .map(|line| line.other.to_string())
        .collect();
    assert_eq!(
        (chosen, selected.matched as usize),
        (expected, matched),
        "{newest_first:?} {text}"
    );
}

/// Whatever has just been done is seen.
async fn check_any_list(f: &Fixture, random: &mut SmallRng) {
    check_selection(f, random).await;
    let (query, text) = any_query(random);
    let request = ListRequest {
        query,
        ..ListRequest::newest(1_000)
    };
    let seen: Vec<_> = others(&page(f, &request).await).collect();
    let query = &request.query;
    assert_eq!(seen, expected(f, query, text).await, "{query:?} {text}");
}

async fn page(f: &Fixture, request: &ListRequest) -> ConnectionPage {
    f.store.connections(id("m"), request.clone()).await.unwrap()
}

fn others(page: &ConnectionPage) -> impl Iterator<Item = String> {
    page.lines.iter().map(|line| line.other.to_string())
}

async fn every_list_is_what_reading_and_sorting_everything_gives(engine: Engine) {
    let seeds = 0..u64::from(engine.of(8, 4));
    for (seed, policy) in seeds.zip(policies().into_iter().cycle()) {
        let mut random = SmallRng::seed_from_u64(seed);
        let f = Fixture::with(engine, policy).await;
        network(&f, &mut random, 40).await;
        for _ in 0..40 {
            check_selection(&f, &mut random).await;
            let (query, text) = any_query(&mut random);
            let expected = expected(&f, &query, text).await;
            let mut request = ListRequest {
                query: query.clone(),
                with_cards: random.random_bool(0.5),
                ..ListRequest::newest(random.random_range(1..20))
            };
            let cards: BTreeMap<_, _> = stored(&f)
                .await
                .into_iter()
                .map(|(other, _, texts)| (other, texts))
                .collect();
            let mut seen = Vec::new();
            loop {
                let page = page(&f, &request).await;
                let counted = expected.len();
                let exactly = query.filter.is_empty() || counted <= 10;
                let total = Total {
                    number: u32::try_from(if exactly { counted } else { 10 }).unwrap(),
                    is_minimum: !exactly,
                };
                assert_eq!(page.total, total, "seed {seed}: {query:?} {text}");
                for line in &page.lines {
                    let [first_name, last_name, headline] = cards[line.other.as_str()].clone();
                    let card = line.card.as_deref().cloned().unwrap_or_default();
                    let wanted = if request.with_cards {
                        Card {
                            first_name,
                            last_name,
                            headline,
                        }
                    } else {
                        Card::default()
                    };
                    assert!(card == wanted, "seed {seed}: {}", line.other);
                }
                seen.extend(others(&page));
                let Some(next) = page.next else { break };
                request.after = Some(next);
            }
            assert_eq!(seen, expected, "seed {seed}: {query:?} {text}");
        }
    }
}

async fn what_is_in_a_list_throughout_is_seen_once_whatever_else_comes_and_goes(engine: Engine) {
    let seeds = 100..100 + u64::from(engine.of(16, 4));
    for (seed, policy) in seeds.zip(policies().into_iter().cycle()) {
        let mut random = SmallRng::seed_from_u64(seed);
        let f = Fixture::with(engine, policy).await;
        network(&f, &mut random, 40).await;
        let (query, text) = any_query(&mut random);
        let mut throughout: BTreeSet<_> = expected(&f, &query, text).await.into_iter().collect();
        let mut request = ListRequest {
            query: query.clone(),
            ..ListRequest::newest(4)
        };
        // How often each was seen.
        let (mut seen, mut touched) = (BTreeMap::<String, u32>::new(), BTreeSet::new());
        loop {
            let page = page(&f, &request).await;
            others(&page).for_each(|other| *seen.entry(other).or_default() += 1);
            let Some(next) = page.next else { break };
            request.after = Some(next);
            for _ in 0..3 {
                let other = format!("o{}", random.random_range(0..45));
                f.tick(1);
                change(&f, &mut random, &other, &mut touched).await;
                check_any_list(&f, &mut random).await;
            }
            let now: BTreeSet<_> = expected(&f, &query, text).await.into_iter().collect();
            throughout.retain(|other| now.contains(other) && !touched.contains(other));
        }
        for other in &throughout {
            assert_eq!(seen.get(other), Some(&1), "seed {seed}: {other} {query:?}");
        }
        let twice = seen.iter().filter(|(_, times)| **times > 1);
        for (other, _) in twice {
            assert!(touched.contains(other), "seed {seed}: {other} {query:?}");
        }
        f.check().await;
    }
}

async fn a_member_without_connections_has_empty_lists(engine: Engine) {
    let f = Fixture::on(engine).await;
    for order in [Order::Recent, Order::FirstName, Order::LastName] {
        let request = ListRequest {
            query: ListQuery {
                order,
                filter: Filter::default(),
            },
            ..ListRequest::newest(10)
        };
        let page = page(&f, &request).await;
        assert!(page.lines.is_empty() && page.next.is_none());
        assert_eq!(page.total, Total::default());
    }
}

async fn a_roster_that_is_far_behind_is_built_anew(engine: Engine) {
    let policy = Policy {
        roster_connections_min: 2,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    let card = |name: String| Card {
        first_name: name,
        ..Card::default()
    };
    for n in 0..5 {
        f.connect("m", &format!("o{n}")).await;
    }
    let request = ListRequest {
        query: ListQuery {
            order: Order::FirstName,
            filter: Filter::default(),
        },
        ..ListRequest::newest(10)
    };
    let seen = async || others(&page(&f, &request).await).collect::<Vec<_>>();
    assert_eq!(seen().await, ["o0", "o1", "o2", "o3", "o4"]);
    // More cards than a roster catches up on, the ones that matter first.
    let many = (0..3_000).map(|n| match n {
        0..5 => PutCard::new(id(&format!("o{n}")), card(format!("name {}", 9 - n))),
        _ => PutCard::new(id(&format!("stranger{n}")), card("x".to_owned())),
    });
    f.store.put_cards(many.collect()).await.unwrap();
    assert_eq!(seen().await, ["o4", "o3", "o2", "o1", "o0"]);
    f.store.erase_member(id("m")).await.unwrap();
    assert_eq!(seen().await, [""; 0]);
}

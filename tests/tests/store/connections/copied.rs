//! What connection-service answers from a store in a file, and from a copy of it on PostgreSQL; and that the copy's rows are those that the
//! database's own engine would have written.

use connection_service::domain::card::Card;
use connection_service::domain::connection_list::{ListQuery, Order};
use connection_service::domain::search::Search;
use connection_service::store::{Feed, PutCard};

use super::labels::with_label;
use super::*;
use crate::copying::{Answers, Service, assert_same, copy};

/// `hub` has more connections than go in one batch of a copy.
const MANY: u32 = 4_500;
const MEMBERS: [&str; 11] = ["a", "b", "c", "d", "e", "f", "g", "hub", "w", "x", "z"];

/// More than one step of an erasure severs.
const PARTNERS: [&str; 5] = ["a", "b", "c", "d", "g"];

pub(crate) fn policy() -> Policy {
    Policy {
        job_chunk: 2,
        ..Policy::default()
    }
}

/// A file with something of every kind in it.
pub(crate) async fn filled() -> Place {
    let f = Fixture::with(Engine::Sqlite, policy()).await;
    fill(&f, MANY, &PARTNERS).await;
    f.store.close().await;
    f.place
}

/// With so many connections of `hub`, and these of `e` and `w`, who are being erased in the end.
async fn fill(f: &Fixture, many: u32, partners: &[&str]) {
    for (one, other) in [
        ("a", "b"),
        ("b", "c"),
        ("c", "d"),
        ("a", "d"),
        ("z", "a"),
        ("f", "g"),
    ] {
        f.tick(3);
        f.connect(one, other).await;
    }
    for other in partners {
        f.connect("e", other).await;
        f.connect("w", other).await;
    }
    // A verdict of each kind that has one here.
    f.ensure(100, 1, "a", "b").await;
    f.tick(1);
    f.remove("f", "g").await.unwrap();
    f.ensure_at(101, 1, "g", "f", START).await;
    f.block("d", "z").await.unwrap();
    f.block("z", "d").await.unwrap();
    f.ensure(102, 1, "d", "z").await;
    f.block("a", "d").await.unwrap();
    f.block("b", "g").await.unwrap();
    f.unblock("b", "g").await.unwrap();
    let names: Vec<_> = (0..many).map(|number| format!("m{number:05}")).collect();
    for chunk in names.chunks(1_000) {
        let pairs: Vec<_> = chunk.iter().map(|name| ("hub", name.as_str())).collect();
        f.import(&pairs).await;
    }
    let card = |first: &str, last: &str, headline: &str| Card {
        first_name: first.to_owned(),
        last_name: last.to_owned(),
        headline: headline.to_owned(),
    };
    let cards = [
        ("a", card("Ann", "Łukasiewicz", "Head of R&D")),
        ("b", card("Zoë", "", "東京")),
        ("d", card("ben", "Müller", "")),
        ("a", card("Anna", "Łukasiewicz", "Head of R&D")),
    ];
    let cards = cards.map(|(member, card)| PutCard::new(id(member), card));
    f.store.put_cards(cards.to_vec()).await.unwrap();
    note(f).await;
    for (member, other) in [("a", "f"), ("a", "g"), ("f", "a")] {
        f.tick(1);
        let dismissed = f.store.dismiss_suggestion(act(member, other)).await;
        dismissed.unwrap().unwrap();
    }
    // Erased, and complete.
    f.connect("x", "g").await;
    f.store.erase_member(id("x")).await.unwrap();
    f.store.acknowledge(f.head().await).await.unwrap();
    for _ in 0..4 {
        f.round().await;
    }
    // What is done in rounds stays to do from here on.
    f.store
        .delete_label(id("c"), labels::label("old"))
        .await
        .unwrap()
        .unwrap();
    f.tick(1);
    for member in ["e", "w"] {
        f.store.erase_member(id(member)).await.unwrap();
    }
    f.store.advance_erasure(id("w")).await.unwrap();
}

/// Labels and private notes, given, taken, renamed.
async fn note(f: &Fixture) {
    for (member, other, labels, text) in [
        ("a", "b", &["work", "oslo"][..], Some("met in Oslo")),
        ("a", "z", &["work"], None),
        ("b", "a", &[], Some("東京")),
        ("c", "b", &["old", "new"], None),
        ("c", "d", &["old"], None),
        ("c", "e", &["old"], None),
    ] {
        f.update(member, other, Some(labels), text).await.unwrap();
    }
    let (from, to) = (labels::label("oslo"), labels::label("Oslo 2026"));
    f.store
        .rename_label(id("a"), from, to)
        .await
        .unwrap()
        .unwrap();
}

/// What is read of everything.
async fn answers(store: &dyn Store) -> Vec<String> {
    let mut answers = Answers::default();
    for name in MEMBERS {
        of_member(store, &id(name), &mut answers).await;
    }
    let keys: Vec<_> = MEMBERS
        .iter()
        .flat_map(|one| pairs(one, &others(one)))
        .collect();
    answers.note("facts", store.pair_facts(keys.clone()).await);
    answers.note("mutual", store.have_mutual(keys, 100_000).await);
    let (mut facts, mut after) = (Vec::new(), None);
    loop {
        // How far a page reaches is each engine's own.
        let page = store.all_facts(after, 1_000).await.unwrap();
        facts.extend(page.facts);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    answers.note("all facts", facts);
    answers.note("head", store.head().await);
    answers.note("state", store.feed_state().await);
    for after in [0, 7] {
        answers.note("feed", store.feed(after, 10_000).await);
    }
    answers.note("due", store.due().await);
    answers.note(
        "told again",
        store.unacknowledged_erasures(0, 100_000, 10).await,
    );
    answers.note("acknowledged", *store.acknowledged().borrow());
    answers.0
}

fn others(of: &str) -> Vec<&'static str> {
    MEMBERS
        .iter()
        .copied()
        .filter(|other| *other != of)
        .collect()
}

async fn of_member(store: &dyn Store, member: &MemberId, answers: &mut Answers) {
    let others = ids(&others(member.as_str()));
    for order in [Order::Recent, Order::FirstName, Order::LastName] {
        for (label, search) in [(None, None), (Some("work"), None), (None, Some("luka"))] {
            let mut filter = with_label(label);
            filter.search = search.and_then(|text| Search::parse(text, 50).unwrap());
            let request = ListRequest {
                query: ListQuery {
                    order,
                    filter: filter.clone(),
                },
                with_cards: true,
                ..ListRequest::newest(5_000)
            };
            let page = store.connections(member.clone(), request).await;
            let page = page.map(|page| (page.lines, page.next.is_some(), page.total));
            answers.note((member, order, label, search), page);
            let selected = store
                .select_connections(member.clone(), filter, 3, 100)
                .await;
            answers.note((member, "selected"), selected);
        }
    }
    let of = || member.clone();
    answers.note((member, "card"), store.card(of()).await);
    answers.note((member, "erased"), store.is_erased(of()).await);
    answers.note((member, "blocks"), store.blocks(of(), None, 100).await);
    answers.note((member, "labels"), store.labels(of()).await);
    answers.note(
        (member, "dismissed"),
        store.dismissed(of(), None, 100).await,
    );
    for after in [0, 9] {
        answers.note((member, "feed"), store.member_feed(of(), after).await);
    }
    answers.note(
        (member, "are"),
        store.relationships(of(), others.clone()).await,
    );
    let between = store.between(of(), others.clone(), true, 100_000).await;
    answers.note((member, "between"), between);
    answers.note(
        (member, "known"),
        store.suggestions(of(), None, 50, 100_000).await,
    );
    for other in &others {
        let key = PairKey::new(member, other).unwrap();
        let mutual = store.mutual_connections(key, None, 50, 100_000).await;
        answers.note((member, other), mutual);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_read_the_same_after_a_copy() {
    for engine in [Engine::Postgres, Engine::PostgresInLanes] {
        let f = Fixture::with(Engine::Sqlite, policy()).await;
        fill(&f, MANY, &PARTNERS).await;
        let before = answers(&*f.store).await;
        let (epoch, secret) = (f.epoch(), *f.store.secret().as_bytes());
        let head = f.head().await;
        f.store.close().await;

        let place = engine.place_of_connections().await;
        let same = copy(Service::Connections, &f.place, &place).await;
        assert!(
            same.iter().all(|(_, rows)| *rows > 0),
            "a kind is missing: {same:?}"
        );
        let f = Fixture {
            store: open(&place, f.policy, &f.clock).await,
            look: place.look_at_connections().await,
            place,
            ..f
        };
        let after = answers(&*f.store).await;
        assert_same(&after, &before, engine);
        f.check().await;
        assert_eq!(f.store.secret().as_bytes(), &secret);
        assert_ne!(f.epoch(), epoch, "a start on the database began its own");
        assert_eq!(f.parted(&epoch, head), None);
        assert_eq!(f.parted(&epoch, head + 1), Some(head));

        // What was begun in the file is ended in the database.
        f.store.acknowledge(head).await.unwrap();
        for _ in 0..40 {
            f.round().await;
        }
        let head = f.head().await;
        f.store.acknowledge(head).await.unwrap();
        for _ in 0..40 {
            f.round().await;
        }
        for member in ["e", "w", "x"] {
            assert_eq!(f.is_named(member).await, [""; 0], "{member}");
        }
        assert_eq!(f.connect("f", "c").await, head + 1);
        let Feed::Entries { entries, .. } = f.store.feed(head, 10).await.unwrap() else {
            panic!("the feed is whole")
        };
        assert_eq!(entries.len(), 1);
        f.check().await;
        f.store.close().await;
    }
}

/// The rows of all tables but for what differs between any two stores: secrets, epochs, hashes under the secret, and how often a row was changed.
async fn rows(f: &Fixture) -> Vec<(String, Vec<String>)> {
    let conn = f.rows().await;
    let mut tables = conn
        .prepare("select name from sqlite_schema where type = 'table' and name not in ('epoch', 'schema_migration') order by name")
        .unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut all = Vec::new();
    for table in names.map(Result::unwrap) {
        let mut statement = conn.prepare(&format!("select * from \"{table}\"")).unwrap();
        let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut found = statement.query([]).unwrap();
        let mut rows = Vec::new();
        while let Some(row) = found.next().unwrap() {
            let values = columns.iter().enumerate().filter(|(_, column)| {
                let own = ["version", "secret", "epoch", "epoch_id", "hash"];
                let of_hash = table == "erased" && *column == "lane";
                !own.contains(&column.as_str()) && !of_hash
            });
            let values: Vec<_> = values
                .map(|(number, column)| {
                    let value: rusqlite::types::Value = row.get(number).unwrap();
                    format!("{column} {value:?}")
                })
                .collect();
            rows.push(values.join(", "));
        }
        rows.sort();
        all.push((table, rows));
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_has_the_rows_that_the_database_would_have_had_itself() {
    for engine in [Engine::Postgres, Engine::PostgresInLanes] {
        // Which pairs of an erasure go first is each engine's own: here there is one.
        let policy = Policy::default();
        let (file, own) = (
            Fixture::with(Engine::Sqlite, policy).await,
            Fixture::with(engine, policy).await,
        );
        fill(&file, 30, &["c"]).await;
        fill(&own, 30, &["c"]).await;
        file.store.close().await;
        let place = engine.place_of_connections().await;
        copy(Service::Connections, &file.place, &place).await;
        let copied = Fixture {
            look: place.look_at_connections().await,
            place,
            ..file
        };
        let (copied, own) = (rows(&copied).await, rows(&own).await);
        for ((table, copied), (_, own)) in copied.iter().zip(&own) {
            assert_same(copied, own, table);
        }
        assert!(own.len() > 17, "{}", own.len());
        assert_eq!(copied, own, "{engine:?}");
    }
}

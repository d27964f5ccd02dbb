//! Cards: put, replaced, read and erased.

use super::*;
use connection_service::domain::card::Card;
use connection_service::store::PutCard;

over_every_engine! {
    the_card_that_was_put_last_stands,
    putting_what_stands_writes_nothing,
    an_erased_member_has_no_card_and_gets_none,
}

fn card(first_name: &str, last_name: &str, headline: &str) -> Card {
    Card {
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        headline: headline.to_owned(),
    }
}

async fn put(f: &Fixture, cards: &[(&str, &Card)]) -> Vec<Result<(), Refusal>> {
    let cards = cards.iter();
    let cards = cards.map(|(member, card)| PutCard::new(id(member), (*card).clone()));
    f.store.put_cards(cards.collect()).await.unwrap()
}

async fn read(f: &Fixture, member: &str) -> Option<Card> {
    f.store.card(id(member)).await.unwrap()
}

async fn the_card_that_was_put_last_stands(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    let (one, other) = (card("Ann", "Zu", "Baker"), card("Anna", "", "東京"));
    assert_eq!(read(&f, "a").await, None);
    assert_eq!(put(&f, &[("a", &one)]).await, [Ok(())]);
    assert_eq!(read(&f, "a").await, Some(one.clone()));
    // In a batch the later of two stands.
    let both = [("a", &one), ("b", &one), ("a", &other)];
    assert_eq!(put(&f, &both).await, [Ok(()), Ok(()), Ok(())]);
    f.restart().await;
    assert_eq!(read(&f, "a").await, Some(other));
    assert_eq!(read(&f, "b").await, Some(one));
    f.check().await;
}

async fn putting_what_stands_writes_nothing(engine: Engine) {
    let f = Fixture::on(engine).await;
    let one = card("Ann", "Zu", "");
    put(&f, &[("a", &one)]).await;
    let changes = async || -> (i64, i64) {
        let sql = "select last_time, head from meta";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
        f.rows().await.query_row(sql, [], row).unwrap()
    };
    let before = changes().await;
    f.tick(5);
    assert_eq!(put(&f, &[("a", &one)]).await, [Ok(())]);
    assert_eq!(changes().await, before);
    assert_eq!(put(&f, &[("a", &card("Ann", "Zu", "x"))]).await, [Ok(())]);
    let after = (before.0 + 5, 0);
    assert_eq!(changes().await, after, "the feed says nothing of it");
}

async fn an_erased_member_has_no_card_and_gets_none(engine: Engine) {
    let f = Fixture::on(engine).await;
    let one = card("Ann", "Zu", "Baker");
    f.connect("a", "b").await;
    // Of whom nothing but the card is known, too.
    put(&f, &[("a", &one), ("c", &one)]).await;
    for member in ["a", "c"] {
        f.store.erase_member(id(member)).await.unwrap();
        assert_eq!(read(&f, member).await, None);
    }
    let refused = Err(Refusal::MemberNotFound);
    let mixed = [("a", &one), ("b", &one), ("c", &one)];
    assert_eq!(put(&f, &mixed).await, [refused, Ok(()), refused]);
    assert_eq!(read(&f, "b").await, Some(one));
    f.store.acknowledge(f.head().await).await.unwrap();
    for _ in 0..4 {
        f.round().await;
    }
    for text in ["a", "c"] {
        assert_eq!(f.is_named(text).await, [""; 0]);
    }
}

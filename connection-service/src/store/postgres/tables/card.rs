//! The table `card`.

use std::sync::LazyLock;

use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::postgres::{Columns, Failure, Kind, Row, Stored, Table, TableShape, Value};
use service_kit::stored::position_number;

use super::super::batch::CardRow;
use crate::domain::card::Card;

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "card",
        key: &[("member", Kind::Text)],
        rest: &[
            ("first_name", Kind::Text),
            ("last_name", Kind::Text),
            ("headline", Kind::Text),
            ("by_first_name", Kind::Text),
            ("by_last_name", Kind::Text),
            ("words", Kind::Text),
            ("change", Kind::Big),
        ],
        versioned: false,
    })
});

/// The columns of a card, in the order in which [`read`] reads them.
macro_rules! card_columns {
    () => {
        "member, first_name, last_name, headline"
    };
}
pub(in crate::store::postgres) use card_columns;

/// A card, from a row with the columns that [`card_columns`] names.
pub(in crate::store::postgres) fn read(row: &Row) -> Result<(MemberId, Card), Failure> {
    let mut columns = Columns::new(row);
    let member = columns.member_id()?;
    let card = Card {
        first_name: columns.get()?,
        last_name: columns.get()?,
        headline: columns.get()?,
    };
    Ok((member, card))
}

/// A card as a transaction has loaded it.
pub(in crate::store::postgres) fn loaded(card: Card) -> Stored<CardRow> {
    Stored {
        version: 0,
        row: CardRow { card, put: None },
    }
}

/// The values of a card that was put, in the order of the table's columns.
pub(in crate::store::postgres) fn values<'a>(
    member: &'a MemberId,
    row: &'a CardRow,
) -> Result<Vec<Value<'a>>, StoreError> {
    let put = row.put.as_ref();
    let put = put.ok_or_else(|| StoreError::internal("a card that nobody has put"))?;
    Ok(vec![
        member.as_str().into(),
        row.card.first_name.as_str().into(),
        row.card.last_name.as_str().into(),
        row.card.headline.as_str().into(),
        put.keys.by_first_name.as_str().into(),
        put.keys.by_last_name.as_str().into(),
        put.keys.words.as_str().into(),
        position_number(put.change).into(),
    ])
}

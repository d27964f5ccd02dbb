//! Cards as statements.
//!
//! Deliberately absent: choosing among connections by their cards (see `lists`).

use rusqlite::{Connection, Row, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;

use super::codec;
use super::rows::SqliteRows;
use crate::domain::card::Card;
use crate::store::cards::{CardRows, PutCard};
use crate::store::roster::Keys;

pub(super) fn read(conn: &Connection, member: &MemberId) -> Result<Option<Card>, StoreError> {
    let mut statement =
        conn.prepare_cached("select first_name, last_name, headline from card where member = ?1")?;
    let mut rows = statement.query([member.as_str()])?;
    rows.next()?.map(decode).transpose()
}

/// What lists look at of a card; empty without one.
pub(super) fn read_keys(conn: &Connection, member: &MemberId) -> Result<Keys, StoreError> {
    let mut statement = conn
        .prepare_cached("select by_first_name, by_last_name, words from card where member = ?1")?;
    let mut rows = statement.query([member.as_str()])?;
    rows.next()?
        .map_or_else(|| Ok(Keys::default()), |row| decode_keys(row, 0))
}

/// The columns of [`read_keys`] from column `first` on; null where there is no card.
pub(super) fn decode_keys(row: &Row<'_>, first: usize) -> Result<Keys, StoreError> {
    let text = |column: usize| -> Result<Box<str>, StoreError> {
        Ok(row.get::<_, Option<Box<str>>>(column)?.unwrap_or_default())
    };
    Ok(Keys {
        by_first_name: text(first)?,
        by_last_name: text(first + 1)?,
        words: text(first + 2)?,
    })
}

/// The number of the last change of cards.
pub(super) fn last_change(conn: &Connection) -> Result<u64, StoreError> {
    let mut statement = conn.prepare_cached("select last from card_change")?;
    let mut rows = statement.query([])?;
    let row = rows.next()?;
    let row = row.ok_or_else(|| StoreError::corrupt("changes of cards are not counted"))?;
    codec::position(row, 0)
}

/// Whose cards have changed after a number, oldest change first, each with its number and what lists look at of it now.
pub(super) fn changed_after(
    conn: &Connection,
    change: u64,
) -> Result<Vec<(u64, MemberId, Keys)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select change, member, by_first_name, by_last_name, words from card where change > ?1 order by change",
    )?;
    let read = |row: &Row<'_>| {
        let change = codec::position(row, 0)?;
        Ok((change, codec::member_id(row, 1)?, decode_keys(row, 2)?))
    };
    let changed = statement.query([codec::to_i64(change)?])?.and_then(read);
    changed.collect()
}

fn decode(row: &Row<'_>) -> Result<Card, StoreError> {
    Ok(Card {
        first_name: row.get(0)?,
        last_name: row.get(1)?,
        headline: row.get(2)?,
    })
}

impl CardRows for SqliteRows {
    fn card(&mut self, member: &MemberId) -> Result<Option<Card>, StoreError> {
        read(&self.conn, member)
    }

    fn put_card(&mut self, put: &PutCard) -> Result<(), StoreError> {
        let (card, keys) = (&put.card, &put.keys);
        self.change_one("update card_change set last = last + 1", [])?;
        self.change_one(
            "insert or replace into card
                 (member, first_name, last_name, headline, by_first_name, by_last_name, words, change)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, (select last from card_change))",
            params![
                put.member.as_str(),
                card.first_name,
                card.last_name,
                card.headline,
                keys.by_first_name,
                keys.by_last_name,
                keys.words.as_str()
            ],
        )
    }

    fn delete_card(&mut self, member: &MemberId) -> Result<(), StoreError> {
        self.change("delete from card where member = ?1", [member.as_str()])?;
        Ok(())
    }
}

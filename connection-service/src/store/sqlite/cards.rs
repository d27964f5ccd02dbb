//! Cards as statements.
//!
//! Deliberately absent: choosing among connections by their cards (see `lists`).

use rusqlite::{Connection, Row, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;

use super::rows::SqliteRows;
use crate::domain::card::Card;
use crate::store::cards::{CardRows, PutCard};

pub(super) fn read(conn: &Connection, member: &MemberId) -> Result<Option<Card>, StoreError> {
    let mut statement =
        conn.prepare_cached("select first_name, last_name, headline from card where member = ?1")?;
    let mut rows = statement.query([member.as_str()])?;
    rows.next()?.map(decode).transpose()
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
        self.change_one(
            "insert or replace into card
                 (member, first_name, last_name, headline, by_first_name, by_last_name, words)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
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

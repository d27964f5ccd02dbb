//! Cards as they are read.
//!
//! Deliberately absent: choosing among connections by their cards (see `lists`).

use std::collections::BTreeMap;

use service_kit::id::MemberId;
use service_kit::postgres::types::Type;
use service_kit::postgres::{Columns, Failure, Row, Statement};
use service_kit::stored::position_number;

use super::reads::Snapshot;
use super::tables::card::{self, card_columns};
use crate::domain::card::Card;
use crate::store::roster::Keys;

const CARDS: Statement = Statement::new(
    concat!(
        "select ",
        card_columns!(),
        " from card where lane = $1 and member = any($2)"
    ),
    &[Type::INT4, Type::TEXT_ARRAY],
);
const KEYS: Statement = Statement::new(
    "select member, by_first_name, by_last_name, words from card where lane = $1 and member = any($2)",
    &[Type::INT4, Type::TEXT_ARRAY],
);
const CHANGED: Statement = Statement::new(
    "select c.member, c.by_first_name, c.by_last_name, c.words, c.change from unnest($1::integer[]) as l (lane) cross join lateral
         (select * from card where lane = l.lane and change > $2) as c
     order by c.change",
    &[Type::INT4_ARRAY, Type::INT8],
);

/// Every statement of reading cards.
pub(super) fn statements() -> Vec<Statement> {
    vec![CARDS, KEYS, CHANGED]
}

impl Snapshot {
    /// A member's card.
    pub(super) async fn card(&self, member: &MemberId) -> Result<Option<Card>, Failure> {
        Ok(self.cards([member]).await?.remove(member))
    }

    /// The cards of members; those who have none are missing.
    pub(super) async fn cards<'a>(
        &self,
        members: impl IntoIterator<Item = &'a MemberId>,
    ) -> Result<BTreeMap<MemberId, Card>, Failure> {
        let rows = self.of_members(&CARDS, members, &[]).await?;
        rows.iter().map(card::read).collect()
    }

    /// What lists look at of the cards of members; those who have none are missing.
    pub(super) async fn keys<'a>(
        &self,
        members: impl IntoIterator<Item = &'a MemberId>,
    ) -> Result<BTreeMap<MemberId, Keys>, Failure> {
        let rows = self.of_members(&KEYS, members, &[]).await?;
        let read = |row: &Row| read_keys(&mut Columns::new(row));
        rows.iter().map(read).collect()
    }

    /// Whose cards have changed after a number, oldest change first, each with its number and what lists look at of it now.
    pub(super) async fn cards_changed_after(
        &self,
        change: u64,
    ) -> Result<Vec<(u64, MemberId, Keys)>, Failure> {
        let rows = self.in_lanes(&CHANGED, &[&position_number(change)]).await?;
        let read = |row: &Row| {
            let mut columns = Columns::new(row);
            let (member, keys) = read_keys(&mut columns)?;
            Ok((columns.position()?, member, keys))
        };
        rows.iter().map(read).collect()
    }
}

/// Whose card it is and what lists look at of it, from `member`, `by_first_name`, `by_last_name` and `words`.
fn read_keys(columns: &mut Columns<'_>) -> Result<(MemberId, Keys), Failure> {
    let member = columns.member_id()?;
    let mut text = || Ok::<_, Failure>(Box::from(columns.get::<&str>()?));
    let keys = Keys {
        by_first_name: text()?,
        by_last_name: text()?,
        words: text()?,
    };
    Ok((member, keys))
}

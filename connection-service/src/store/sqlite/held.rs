//! Rows of members that are kept back for a while, to be written in one pass through the table.
//!
//! What many pairs change lies scattered, each pair in two places at least; in the order of keys each page is met once. Deliberately absent:
//! reading what is kept back, and deletions.

use rusqlite::{Connection, Statement, params};
use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey};
use service_kit::time::Time;
use uuid::Uuid;

use super::codec::to_i64;
use super::rows::kind_of;
use crate::domain::member::Member;
use crate::domain::pair::Pair;
use crate::store::rows::Listing;

// The kinds of the table `of_member` that are no lists, as the migration lists them.
const MEMBER: i64 = 0;
pub(super) const PAIR: i64 = 1;
pub(super) const PAIR_OF_HIGH: i64 = 2;

/// A row of the table `of_member`.
pub(super) struct HeldRow {
    member: MemberId,
    /// Of lists; 0 for the others.
    time: i64,
    /// Empty for the member's own row.
    other: Option<MemberId>,
    content: Content,
}

enum Content {
    Member(Member),
    Pair(Pair),
    PairOfHigh,
    Line(Listing),
}

impl HeldRow {
    pub(super) fn member(id: &MemberId, member: &Member) -> Self {
        Self {
            member: id.clone(),
            time: 0,
            other: None,
            content: Content::Member(*member),
        }
    }

    /// A pair that is not empty, and what finds it by its higher member.
    pub(super) fn pair(key: &PairKey, pair: &Pair) -> [Self; 2] {
        let row = |member: &MemberId, other: &MemberId, content| Self {
            member: member.clone(),
            time: 0,
            other: Some(other.clone()),
            content,
        };
        [
            row(key.low(), key.high(), Content::Pair(*pair)),
            row(key.high(), key.low(), Content::PairOfHigh),
        ]
    }

    pub(super) fn line(listing: Listing, member: &MemberId, time: Time, other: &MemberId) -> Self {
        Self {
            member: member.clone(),
            time: time.millis(),
            other: Some(other.clone()),
            content: Content::Line(listing),
        }
    }

    fn kind(&self) -> i64 {
        match self.content {
            Content::Member(_) => MEMBER,
            Content::Pair(_) => PAIR,
            Content::PairOfHigh => PAIR_OF_HIGH,
            Content::Line(listing) => kind_of(listing),
        }
    }

    /// The place in the table.
    fn key(&self) -> (&str, i64, i64, &str) {
        let other = self.other.as_ref().map_or("", MemberId::as_str);
        (self.member.as_str(), self.kind(), self.time, other)
    }
}

/// The rows in the order of their keys, of two with the same key the later one last. What is compared most, the beginning of the member's id, is
/// kept beside the place of the row: rows are large and lie elsewhere.
fn in_order(rows: &[HeldRow]) -> impl Iterator<Item = &HeldRow> {
    let mut places: Vec<_> = rows.iter().map(beginning).zip(0_usize..).collect();
    let key = |place: usize| rows.get(place).map(HeldRow::key);
    places.sort_by(|(one, at), (other, other_at)| {
        one.cmp(other).then_with(|| key(*at).cmp(&key(*other_at)))
    });
    places
        .into_iter()
        .filter_map(move |(_, place)| rows.get(place))
}

/// The first bytes of the member's id, in whose order ids are as far as they go.
fn beginning(row: &HeldRow) -> u128 {
    let mut bytes = [0; 16];
    for (byte, of_id) in bytes.iter_mut().zip(row.member.as_str().bytes()) {
        *byte = of_id;
    }
    u128::from_be_bytes(bytes)
}

const MEMBER_SQL: &str =
    "insert or replace into of_member (member, kind, time, other, c1, c2, c3, c4)
     values (?1, 0, 0, '', ?2, ?3, ?4, ?5)";
const PAIR_SQL: &str =
    "insert or replace into of_member (member, kind, time, other, c1, c2, c3, c4, c5, c6)
     values (?1, 1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
const PAIR_OF_HIGH_SQL: &str =
    "insert or ignore into of_member (member, kind, time, other) values (?1, 2, 0, ?2)";
const LINE_SQL: &str = "insert into of_member (member, kind, time, other) values (?1, ?2, ?3, ?4)";

/// Writes one row.
pub(super) fn write(conn: &Connection, row: &HeldRow) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(row.sql())?;
    row.write(&mut statement)
}

/// Writes all of `rows`, of two with the same key the later one last.
pub(super) fn write_all(conn: &Connection, rows: &[HeldRow]) -> Result<(), StoreError> {
    // Prepared once, and not looked up for each row.
    let mut member = conn.prepare_cached(MEMBER_SQL)?;
    let mut pair = conn.prepare_cached(PAIR_SQL)?;
    let mut pair_of_high = conn.prepare_cached(PAIR_OF_HIGH_SQL)?;
    let mut line = conn.prepare_cached(LINE_SQL)?;
    for row in in_order(rows) {
        row.write(match row.content {
            Content::Member(_) => &mut member,
            Content::Pair(_) => &mut pair,
            Content::PairOfHigh => &mut pair_of_high,
            Content::Line(_) => &mut line,
        })?;
    }
    Ok(())
}

impl HeldRow {
    fn sql(&self) -> &'static str {
        match self.content {
            Content::Member(_) => MEMBER_SQL,
            Content::Pair(_) => PAIR_SQL,
            Content::PairOfHigh => PAIR_OF_HIGH_SQL,
            Content::Line(_) => LINE_SQL,
        }
    }

    /// Writes the row by the statement of [`HeldRow::sql`].
    fn write(&self, statement: &mut Statement<'_>) -> Result<(), StoreError> {
        let (member, kind, time, other) = self.key();
        let changed = match &self.content {
            Content::Member(of) => statement.execute(params![
                member,
                of.connections,
                of.blocks,
                of.removal_marks,
                to_i64(of.last_fact)?
            ])?,
            Content::Pair(pair) => {
                let millis = |time: Option<Time>| time.map(Time::millis);
                let connection = pair.connection;
                let invitation = connection.and_then(|connection| connection.invitation);
                statement.execute(params![
                    member,
                    other,
                    connection.map(|connection| connection.connect_time.millis()),
                    invitation.map(Uuid::into_bytes),
                    millis(pair.blocked.low),
                    millis(pair.blocked.high),
                    millis(pair.removed.low),
                    millis(pair.removed.high),
                ])?
            }
            // It may be there already.
            Content::PairOfHigh => statement.execute([member, other])?.max(1),
            Content::Line(_) => statement.execute(params![member, kind, time, other])?,
        };
        match changed {
            1 => Ok(()),
            n => Err(StoreError::corrupt(format!("{n} rows changed by one"))),
        }
    }
}

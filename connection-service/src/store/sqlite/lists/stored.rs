//! What lies between the times of a filter in the store, read in the order of time.
//!
//! Deliberately absent: what is in a list (see `domain::connection_list`).

use std::ops::ControlFlow;

use rusqlite::{Connection, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::{Found, Lists};
use crate::domain::connection_list::{Candidate, Filter, Total};
use crate::store::sqlite::{codec, labels};

impl Lists<'_> {
    /// How many connections lie between the times of a filter, of those with its label, as far as they are counted.
    pub(super) fn count_between(&self, member: &MemberId, filter: &Filter) -> Found<Total> {
        let label = match &filter.label {
            None => None,
            Some(label) => labels::number(self.conn, member, label)?,
        };
        let counted_max = self.policy.listed_counted_max;
        let values = params![
            member.as_str(),
            filter.connected_after.map_or(i64::MIN, Time::millis),
            filter.connected_before.map_or(i64::MAX, Time::millis),
            label,
            i64::from(counted_max) + 1,
        ];
        let mut statement = self.conn.prepare_cached(&count_sql(label.is_some()))?;
        let counted: u32 = statement.query_row(values, |row| row.get(0))?;
        Ok(Total {
            number: counted.min(counted_max),
            is_minimum: counted > counted_max,
        })
    }
}

/// The list that is read, and which of its rows: both lists lie in the order of time.
const fn list(with_label: bool) -> (&'static str, &'static str) {
    if with_label {
        ("labelled", "label = ?4")
    } else {
        ("connection", "?4 is null")
    }
}

/// Counts what lies between two times, up to a number.
pub(in crate::store::sqlite) fn count_sql(with_label: bool) -> String {
    let (list, of_label) = list(with_label);
    format!(
        "select count(*) from
             (select 1 from {list} where member = ?1 and {of_label} and connect_time > ?2 and connect_time < ?3 limit ?5)"
    )
}

/// Which of a member's connections are read, and what of them.
pub(super) struct Wanted<'a> {
    pub(super) filter: &'a Filter,
    /// Whether the others' cards are.
    pub(super) cards: bool,
    pub(super) newest_first: bool,
}

impl Wanted<'_> {
    /// Offers what lies between the times of the filter, of those with its label, until it is told to stop.
    pub(super) fn each(
        &self,
        conn: &Connection,
        member: &MemberId,
        mut offer: impl FnMut(&Candidate<'_>) -> Found<ControlFlow<()>>,
    ) -> Found<()> {
        let label = match &self.filter.label {
            None => None,
            Some(label) => match labels::number(conn, member, label)? {
                Some(number) => Some(number),
                None => return Ok(()),
            },
        };
        let mut statement = conn.prepare_cached(&self.sql())?;
        let mut rows = statement.query(params![
            member.as_str(),
            self.filter.connected_after.map_or(i64::MIN, Time::millis),
            self.filter.connected_before.map_or(i64::MAX, Time::millis),
            label,
        ])?;
        while let Some(row) = rows.next()? {
            let text = |column| -> Found<&str> {
                let text = row.get_ref(column)?.as_str_or_null();
                Ok(text.map_err(StoreError::corrupt)?.unwrap_or_default())
            };
            let candidate = Candidate {
                other: text(0)?,
                connect_time: codec::time(row, 1)?,
                by_first_name: text(2)?,
                by_last_name: text(3)?,
                words: text(4)?,
            };
            if offer(&candidate)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn sql(&self) -> String {
        let (list, of_label) = list(self.filter.label.is_some());
        let (columns, join) = if self.cards {
            (
                "by_first_name, by_last_name, words",
                "left join card on card.member = list.other",
            )
        } else {
            ("null, null, null", "")
        };
        let order = if self.newest_first { "desc" } else { "asc" };
        format!(
            "select other, connect_time, {columns} from {list} as list {join}
             where list.member = ?1 and {of_label} and connect_time > ?2 and connect_time < ?3
             order by connect_time {order}, other {order}"
        )
    }
}

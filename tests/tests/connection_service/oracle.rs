//! Answers about the network around a member in plain SQL, over the service's own file.
//!
//! Deliberately absent: speed, and everything that the service does to answer.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row, params};

/// How far two are apart: 1, 2, 3, or 4 for further.
pub(crate) type Degree = i32;

/// What the service should answer, read when it is asked for.
pub(crate) struct Oracle(Connection);

/// Nobody is connected who is being erased.
const CONNECTED: &str = "with gone as (select member from erasure where stage = 1),
    connected as (select member, other from connection
        where member not in (select member from gone) and other not in (select member from gone)),
    hidden as (select member, other from block union select other, member from block) ";

impl Oracle {
    pub(crate) fn of(file: &Path) -> Self {
        Self(Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap())
    }

    fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Vec<T> {
        let mut statement = self
            .0
            .prepare_cached(&format!("{CONNECTED} {sql}"))
            .unwrap();
        let rows = statement.query_map(params, |row| read(row)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    fn holds(&self, sql: &str, one: &str, other: &str) -> bool {
        let sql = format!("select exists ({sql})");
        self.all(&sql, params![one, other], |row| row.get(0))[0]
    }

    pub(crate) fn mutual(&self, one: &str, other: &str) -> Vec<String> {
        let sql = "select a.other from connected a join connected b on a.other = b.other
             where a.member = ?1 and b.member = ?2
                 and not exists (select 1 from hidden where member = ?1 and other = ?2)
             order by a.other";
        self.all(sql, params![one, other], |row| row.get(0))
    }

    pub(crate) fn degree(&self, one: &str, other: &str) -> Degree {
        if self.holds(
            "select 1 from hidden where member = ?1 and other = ?2",
            one,
            other,
        ) {
            return 4;
        }
        let ways = [
            "select 1 from connected where member = ?1 and other = ?2",
            "select 1 from connected a join connected b on a.other = b.member
             where a.member = ?1 and b.other = ?2",
            "select 1 from connected a join connected b on a.other = b.member
                 join connected c on b.other = c.member
             where a.member = ?1 and c.other = ?2",
        ];
        let found = (1..).zip(ways).find(|(_, way)| self.holds(way, one, other));
        found.map_or(4, |(degree, _)| degree)
    }

    /// Whom a member may know, how many connections they have in common, and the first three of these.
    pub(crate) fn suggestions(&self, member: &str) -> Vec<(String, i32, Vec<String>)> {
        let sql = "select b.other, count(*) from connected a join connected b on a.other = b.member
             where a.member = ?1 and b.other <> ?1
                 and not exists (select 1 from connected c where c.member = ?1 and c.other = b.other)
                 and not exists (select 1 from hidden h where h.member = ?1 and h.other = b.other)
                 and not exists (select 1 from dismissal d where d.member = ?1 and d.other = b.other)
             group by b.other order by count(*) desc, b.other";
        let found = self.all(sql, [member], |row| Ok((row.get(0)?, row.get(1)?)));
        let with_mutual = found.into_iter().map(|(other, count): (String, i32)| {
            let mut mutual = self.mutual(member, &other);
            mutual.truncate(3);
            (other, count, mutual)
        });
        with_mutual.collect()
    }

    /// How many rows there are that name a member in the table of dismissals.
    pub(crate) fn dismissals(&self, member: &str) -> u32 {
        let sql = "select count(*) from dismissal where member = ?1 or other = ?1";
        self.all(sql, [member], |row| row.get(0))[0]
    }
}

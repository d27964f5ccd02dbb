//! The columns of a row of PostgreSQL, read one after the other as the statement names them.

use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::Failure;
use crate::id::MemberId;
use crate::stored;
use crate::time::Time;

/// A row, and which column comes next. Each method reads that one and fails with [`Failure::Store`] where it makes no sense.
#[derive(Debug)]
pub struct Columns<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    /// From the first column on.
    pub fn new(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// Passes over columns that say nothing in this row.
    pub fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// A value that stands in the column as it is.
    pub fn get<T: FromSql<'r>>(&mut self) -> Result<T, Failure> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.try_get(column)?)
    }

    /// A member's id, from `text`.
    pub fn member_id(&mut self) -> Result<MemberId, Failure> {
        Ok(stored::member_id(self.get()?)?)
    }

    /// A member's id, or null.
    pub fn optional_member_id(&mut self) -> Result<Option<MemberId>, Failure> {
        let text: Option<&str> = self.get()?;
        Ok(text.map(stored::member_id).transpose()?)
    }

    /// A time, from milliseconds in a `bigint`.
    pub fn time(&mut self) -> Result<Time, Failure> {
        Ok(Time::from_millis(self.get()?))
    }

    /// A time, or null.
    pub fn optional_time(&mut self) -> Result<Option<Time>, Failure> {
        Ok(self.get::<Option<i64>>()?.map(Time::from_millis))
    }

    /// An id, from `uuid`.
    pub fn uuid(&mut self) -> Result<Uuid, Failure> {
        self.get()
    }

    /// A number of a closed list, from `smallint`.
    pub fn small(&mut self) -> Result<i64, Failure> {
        Ok(i64::from(self.get::<i16>()?))
    }

    /// A count, from `integer`.
    pub fn count(&mut self) -> Result<u32, Failure> {
        Ok(stored::count(i64::from(self.get::<i32>()?))?)
    }

    /// A position, from `bigint`.
    pub fn position(&mut self) -> Result<u64, Failure> {
        Ok(stored::position(self.get()?)?)
    }
}

/// A number of a closed list as its `smallint` column holds it: these lists are short.
pub fn small(number: i64) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

/// A count as its `integer` column holds it: caps keep it far below.
pub fn int(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// A limit as a statement takes it.
pub fn limit_number(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

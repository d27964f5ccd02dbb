//! The columns of a row of PostgreSQL, read one after the other as the statement names them.

use service_kit::{
    error::StoreError,
    id::MemberId,
    postgres::{Failure, Row, types::FromSql},
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use crate::{domain::standing::Standing, store::codec};

/// A row, and which column comes next.
pub(super) struct Columns<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    /// From the first column on.
    pub(super) fn new(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// Passes over columns that say nothing in this row.
    pub(super) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// A value that stands in the column as it is.
    pub(super) fn get<T: FromSql<'r>>(&mut self) -> Result<T, Failure> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.try_get(column)?)
    }

    pub(super) fn member_id(&mut self) -> Result<MemberId, Failure> {
        Ok(codec::member_id(self.get()?)?)
    }

    pub(super) fn optional_member_id(&mut self) -> Result<Option<MemberId>, Failure> {
        let text: Option<&str> = self.get()?;
        Ok(text.map(codec::member_id).transpose()?)
    }

    pub(super) fn optional_trace(&mut self) -> Result<Option<TraceContext>, Failure> {
        let bytes: Option<&[u8]> = self.get()?;
        let malformed = || StoreError::corrupt("a malformed trace");
        let trace = |bytes| TraceContext::from_bytes(bytes).ok_or_else(malformed);
        Ok(bytes.map(trace).transpose()?)
    }

    pub(super) fn standing(&mut self) -> Result<Standing, Failure> {
        let bytes: Option<&[u8]> = self.get()?;
        let standing = Standing::from_bytes(bytes.unwrap_or_default());
        Ok(standing.map_err(StoreError::corrupt)?)
    }

    pub(super) fn time(&mut self) -> Result<Time, Failure> {
        Ok(Time::from_millis(self.get()?))
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<Time>, Failure> {
        Ok(self.get::<Option<i64>>()?.map(Time::from_millis))
    }

    pub(super) fn uuid(&mut self) -> Result<Uuid, Failure> {
        self.get()
    }

    pub(super) fn small(&mut self) -> Result<i64, Failure> {
        Ok(i64::from(self.get::<i16>()?))
    }

    pub(super) fn count(&mut self) -> Result<u32, Failure> {
        Ok(codec::count(i64::from(self.get::<i32>()?))?)
    }

    pub(super) fn position(&mut self) -> Result<u64, Failure> {
        Ok(codec::position(self.get()?)?)
    }
}

/// A number of a closed list as its column holds it: these lists are short.
pub(super) fn small(number: i64) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

/// A count as its column holds it: caps keep it far below.
pub(super) fn int(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

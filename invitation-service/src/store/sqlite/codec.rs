//! The columns of a row of SQLite, read one after the other; how values stand in them is the same in every engine
//! ([`crate::store::codec`]).

use rusqlite::{Row, types::FromSql, types::ValueRef};
use service_kit::{error::StoreError, id::MemberId, time::Time, trace::TraceContext};
use uuid::Uuid;

use crate::domain::standing::Standing;
pub(super) use crate::store::codec::*;

/// The columns of a row, read one after the other as the statement names them: looking each up by its name costs more than reading it.
pub(super) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    /// From the first column on.
    pub(super) fn new(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    fn raw(&mut self) -> Result<ValueRef<'r>, StoreError> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.get_ref(column)?)
    }

    /// Passes over columns that say nothing in this row.
    pub(super) fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    /// A value that stands in the column as it is.
    pub(super) fn get<T: FromSql>(&mut self) -> Result<T, StoreError> {
        let column = self.next;
        self.next += 1;
        Ok(self.row.get(column)?)
    }

    pub(super) fn text(&mut self) -> Result<&'r str, StoreError> {
        Ok(self.raw()?.as_str().map_err(rusqlite::Error::from)?)
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<&'r str>, StoreError> {
        Ok(self
            .raw()?
            .as_str_or_null()
            .map_err(rusqlite::Error::from)?)
    }

    pub(super) fn bytes(&mut self) -> Result<&'r [u8], StoreError> {
        Ok(self.raw()?.as_blob().map_err(rusqlite::Error::from)?)
    }

    pub(super) fn member_id(&mut self) -> Result<MemberId, StoreError> {
        member_id(self.text()?)
    }

    pub(super) fn optional_member_id(&mut self) -> Result<Option<MemberId>, StoreError> {
        self.optional_text()?.map(member_id).transpose()
    }

    pub(super) fn uuid(&mut self) -> Result<Uuid, StoreError> {
        uuid(self.bytes()?)
    }

    pub(super) fn optional_uuid(&mut self) -> Result<Option<Uuid>, StoreError> {
        let bytes = self
            .raw()?
            .as_blob_or_null()
            .map_err(rusqlite::Error::from)?;
        bytes.map(uuid).transpose()
    }

    pub(super) fn optional_trace(&mut self) -> Result<Option<TraceContext>, StoreError> {
        let bytes = self
            .raw()?
            .as_blob_or_null()
            .map_err(rusqlite::Error::from)?;
        let malformed = || StoreError::corrupt("a malformed trace");
        let trace = |bytes| TraceContext::from_bytes(bytes).ok_or_else(malformed);
        bytes.map(trace).transpose()
    }

    pub(super) fn standing(&mut self) -> Result<Standing, StoreError> {
        let bytes = self
            .raw()?
            .as_blob_or_null()
            .map_err(rusqlite::Error::from)?;
        Standing::from_bytes(bytes.unwrap_or_default()).map_err(StoreError::corrupt)
    }

    pub(super) fn time(&mut self) -> Result<Time, StoreError> {
        Ok(Time::from_millis(self.get()?))
    }

    pub(super) fn optional_time(&mut self) -> Result<Option<Time>, StoreError> {
        Ok(self.get::<Option<i64>>()?.map(Time::from_millis))
    }

    pub(super) fn count(&mut self) -> Result<u32, StoreError> {
        count(self.get()?)
    }

    pub(super) fn position(&mut self) -> Result<u64, StoreError> {
        position(self.get()?)
    }
}

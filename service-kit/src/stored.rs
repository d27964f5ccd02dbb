//! How values that every store keeps stand in columns, the same in every engine.
//!
//! A value that makes no sense is a corrupt store, never a default. Deliberately absent: SQL, and the types of an engine's columns.

use uuid::Uuid;

use crate::error::StoreError;
use crate::id::MemberId;

/// A member's id from its text.
pub fn member_id(text: &str) -> Result<MemberId, StoreError> {
    MemberId::parse(text).map_err(|_| StoreError::corrupt("a malformed member id"))
}

/// An id from its 16 bytes.
pub fn uuid(bytes: &[u8]) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|_| StoreError::corrupt("a malformed id"))
}

/// A hash from its 16 bytes.
pub fn hash(bytes: &[u8]) -> Result<[u8; 16], StoreError> {
    bytes
        .try_into()
        .map_err(|_| StoreError::corrupt("a malformed hash"))
}

/// A count from a number, which is 0 to 2³² − 1.
pub fn count(number: i64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::corrupt("a count out of range"))
}

/// A position from a number, which is not negative.
pub fn position(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| StoreError::corrupt("a position out of range"))
}

/// A position as a column holds it. Positions count commits; 2⁶³ of them do not happen.
pub fn position_number(position: u64) -> i64 {
    i64::try_from(position).unwrap_or(i64::MAX)
}

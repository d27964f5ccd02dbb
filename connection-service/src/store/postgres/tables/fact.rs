//! The table `fact`: the feed.
//!
//! Names and content are taken out of a row when they must not stand there any longer; its position and what it did to lists stay, and the other
//! one's name, for their own chain.

use std::sync::LazyLock;

use service_kit::error::StoreError;
use service_kit::id::{MemberId, Sides};
use service_kit::postgres::{Kind, Table, TableShape, Value, small};
use service_kit::stored::position_number;
use service_kit::time::Time;

use crate::domain::fact::Fact;
use crate::store::codec::FactColumns;

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "fact",
        key: &[("position", Kind::Big)],
        rest: &[
            ("time", Kind::Big),
            ("kind", Kind::Small),
            ("low", Kind::Text),
            ("high", Kind::Text),
            ("connection", Kind::Small),
            ("connect_time", Kind::Big),
            ("invitation_id", Kind::Uuid),
            ("blocked_by_low", Kind::Bool),
            ("blocked_by_high", Kind::Bool),
            ("blank", Kind::Bool),
            ("previous_low", Kind::Big),
            ("previous_high", Kind::Big),
        ],
        versioned: false,
    })
});

/// A fact as it is appended.
pub(in crate::store::postgres) struct Appended {
    pub(in crate::store::postgres) position: u64,
    pub(in crate::store::postgres) time: Time,
    pub(in crate::store::postgres) columns: FactColumns,
    previous: Sides<u64>,
    /// Whom it concerns, also where a name has been taken out again.
    pub(in crate::store::postgres) concerned: Vec<MemberId>,
}

impl Appended {
    /// A fact at its position, with those of the facts before it that name its members.
    pub(in crate::store::postgres) fn new(
        position: u64,
        time: Time,
        fact: &Fact,
        previous: Sides<u64>,
    ) -> Self {
        let columns = FactColumns::of(fact);
        let Sides { low, high } = &columns.named;
        Self {
            position,
            time,
            concerned: low.iter().chain(high).cloned().collect(),
            columns,
            previous,
        }
    }

    /// Takes out the content and a member's name; the position of the fact before it that names the member.
    pub(in crate::store::postgres) fn blank(
        &mut self,
        member: &MemberId,
    ) -> Result<u64, StoreError> {
        let named = &mut self.columns.named;
        let previous = if named.low.as_ref() == Some(member) {
            named.low = None;
            self.previous.low
        } else if named.high.as_ref() == Some(member) {
            named.high = None;
            self.previous.high
        } else {
            return Err(StoreError::corrupt("a member's chain leads to a stranger"));
        };
        self.columns.connect_time = None;
        self.columns.invitation = None;
        self.columns.blocked = Sides::default();
        self.columns.blank = true;
        Ok(previous)
    }

    /// The values, in the order of the table's columns.
    pub(in crate::store::postgres) fn values(&self) -> Vec<Value<'_>> {
        let FactColumns {
            kind,
            named,
            connection,
            connect_time,
            invitation,
            blocked,
            blank,
        } = &self.columns;
        vec![
            position_number(self.position).into(),
            self.time.millis().into(),
            small(*kind).into(),
            Value::Text(named.low.as_ref().map(|id| id.as_str().into())),
            Value::Text(named.high.as_ref().map(|id| id.as_str().into())),
            small(*connection).into(),
            connect_time.map(Time::millis).into(),
            (*invitation).into(),
            blocked.low.into(),
            blocked.high.into(),
            (*blank).into(),
            position_number(self.previous.low).into(),
            position_number(self.previous.high).into(),
        ]
    }
}

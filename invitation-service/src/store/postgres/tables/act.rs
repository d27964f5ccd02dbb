//! The table `standing_act`.

use std::sync::LazyLock;

use service_kit::{
    postgres::{Columns, Failure, Kind, Table, TableShape, Value, int},
    time::Time,
};

use crate::{
    domain::act::Act,
    store::{codec, rows::StandingAct},
};

/// The number of each kind of act; they never change.
const PLAN: i16 = 0;
const WEEKLY_CAP: i16 = 1;
const RESTRICT: i16 = 2;
const LIFT_RESTRICTION: i16 = 3;
const CLEAR_FLAGS: i16 = 4;

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "standing_act",
        key: &[("number", Kind::Big)],
        rest: &[
            ("time", Kind::Big),
            ("author", Kind::Text),
            ("request_id", Kind::Uuid),
            ("member", Kind::Text),
            ("kind", Kind::Small),
            ("plan", Kind::Text),
            ("weekly_cap", Kind::Int),
            ("until", Kind::Big),
        ],
        versioned: false,
    })
});

/// An act's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values(
    number: u64,
    now: Time,
    act: &StandingAct,
) -> Vec<Value<'_>> {
    let (kind, plan, weekly_cap, until) = match &act.act {
        Act::Plan(plan) => (PLAN, Some(plan.as_str()), None, None),
        Act::WeeklyCap(cap) => (WEEKLY_CAP, None, cap.map(int), None),
        Act::Restrict(until) => (RESTRICT, None, None, Some(until.millis())),
        Act::LiftRestriction => (LIFT_RESTRICTION, None, None, None),
        Act::ClearFlags => (CLEAR_FLAGS, None, None, None),
    };
    vec![
        codec::position_number(number).into(),
        now.millis().into(),
        act.author.as_str().into(),
        act.request_id.into(),
        act.member.as_str().into(),
        kind.into(),
        plan.into(),
        weekly_cap.into(),
        until.into(),
    ]
}

/// What was done, from the columns `kind, plan, weekly_cap, until`.
pub(in crate::store::postgres) fn read(columns: &mut Columns<'_>) -> Result<Act, Failure> {
    let kind: i16 = columns.get()?;
    let plan: Option<String> = columns.get()?;
    let weekly_cap: Option<i32> = columns.get()?;
    let until = columns.optional_time()?;
    let without = || Failure::corrupt("an act without what was done");
    Ok(match kind {
        PLAN => Act::Plan(plan.ok_or_else(without)?),
        WEEKLY_CAP => {
            let cap = weekly_cap.map(|cap| codec::count(i64::from(cap)));
            Act::WeeklyCap(cap.transpose()?)
        }
        RESTRICT => Act::Restrict(until.ok_or_else(without)?),
        LIFT_RESTRICTION => Act::LiftRestriction,
        CLEAR_FLAGS => Act::ClearFlags,
        _ => return Err(Failure::corrupt("no such act")),
    })
}

//! Deleting what is kept for a time only and is over: remembered requests, cool-downs, events.
//!
//! Beside the writer: nobody decides by what is over, so nothing needs to be locked. Deliberately absent: how long things are kept.

use service_kit::{
    postgres::{Client, Failure, Statement, lane_numbers, types::Type},
    time::Time,
};

use crate::domain::policy::Policy;

/// How many rows of each kind one call deletes in a lane.
const FORGOTTEN_MAX: i64 = 1_000;

const FORGET_REQUESTS: Statement = Statement::new(
    "with over as (select inviter, request_id from request where lane = $1 and time <= $2 order by time limit $3),
          gone as (delete from request t using over where t.lane = $1 and t.inviter = over.inviter and t.request_id = over.request_id returning 1)
     select count(*) from gone",
    &[Type::INT4, Type::INT8, Type::INT8],
);
const FORGET_COOLDOWNS: Statement = Statement::new(
    "with over as (select ordered_pair from withdraw_cooldown where lane = $1 and until <= $2 order by until limit $3),
          gone as (delete from withdraw_cooldown t using over where t.lane = $1 and t.ordered_pair = over.ordered_pair returning 1)
     select count(*) from gone",
    &[Type::INT4, Type::INT8, Type::INT8],
);
// Positions are in the order of time, so the first that is kept ends the search.
const FORGET_EVENTS: Statement = Statement::new(
    "with first as (select position, time from event where lane = $1 order by position limit $3),
          gone as (delete from event t using first where t.lane = $1 and t.position = first.position and first.time <= $2 returning 1)
     select count(*) from gone",
    &[Type::INT4, Type::INT8, Type::INT8],
);

/// Every statement of forgetting.
pub(super) fn statements() -> Vec<Statement> {
    vec![FORGET_REQUESTS, FORGET_COOLDOWNS, FORGET_EVENTS]
}

/// Deletes some of what is over at `now`; whether there may be more.
pub(super) async fn forget_old(
    client: &Client,
    policy: &Policy,
    now: Time,
    lanes: u16,
) -> Result<bool, Failure> {
    let requests = now.minus(policy.request_kept).millis();
    let events = now.minus(policy.events_kept).millis();
    let mut more = false;
    for lane in lane_numbers(lanes) {
        let of_lane = [
            (FORGET_REQUESTS, requests),
            (FORGET_COOLDOWNS, now.millis()),
        ];
        let of_the_feed = (lane == 0).then_some((FORGET_EVENTS, events));
        for (statement, until) in of_lane.into_iter().chain(of_the_feed) {
            let rows = statement
                .query(client, &[&lane, &until, &FORGOTTEN_MAX])
                .await?;
            let count: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
            more |= count >= FORGOTTEN_MAX;
        }
    }
    Ok(more)
}

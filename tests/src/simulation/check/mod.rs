//! What must hold when everything has come to rest: in the stores, and between them and what callers were answered.
//!
//! What the stores alone must satisfy is checked as after kills of real processes (`crate::rig::check`). Deliberately absent: anything that
//! is only likely to hold. A call without an answer may have taken effect, also much later; each check leaves room for that.

mod answers;
mod known;
mod limits;
mod noted;

use std::collections::BTreeMap;

use super::{
    history::History,
    plan::{Plan, host},
    service::Service,
};
use crate::rig::check::{Caps, Check, STORED, Stores};
use known::Known;

/// The check that goes by the system's clock, which nothing here does.
const BY_THE_SYSTEMS_CLOCK: &str = "work is overdue";
/// The checks that say whether the two services have done with each other.
const MOVING: [&str; 2] = [
    "an acceptance still awaits its verdict",
    "the feed has not been followed to its end",
];

/// What is still under way in the stores; `None` when nothing is.
pub(crate) fn moving(services: &BTreeMap<&'static str, Service>) -> Option<String> {
    if services.values().any(|service| !service.file.exists()) {
        return Some("a store is not there yet".to_owned());
    }
    let moving = violations(&stores(services), |check| MOVING.contains(check));
    moving.into_iter().next()
}

fn stores(services: &BTreeMap<&'static str, Service>) -> Stores {
    let file = |host| services[host].file.as_path();
    Stores::of_files([file(host::INVITATION), file(host::CONNECTION)])
}

fn violations(stores: &Stores, which: impl Fn(&&str) -> bool) -> Vec<String> {
    let checks: Vec<&Check> = STORED.iter().filter(|(name, _)| which(name)).collect();
    stores.violations_of(checks)
}

/// Checks everything, and says what does not hold.
pub(crate) fn all(plan: &Plan, history: &History, services: &BTreeMap<&'static str, Service>) {
    let stores = stores(services);
    let policy = &plan.invitation_policy;
    let caps = Caps {
        weekly: policy.weekly_cap,
        pending: policy.pending_sent_max,
        connections: policy.connections_max,
    };
    stores.know(&[], caps);
    let mut found = violations(&stores, |check| *check != BY_THE_SYSTEMS_CLOCK);
    let known = Known::of(plan, history, &stores);
    found.extend(answers::problems(&known));
    found.extend(limits::problems(&known));
    found.extend(noted::problems(&known));
    if history.masked() > 1 {
        found.push("masked refusals differ".to_owned());
    }
    for what in found {
        history.violation(what);
    }
    let count = |table| {
        stores
            .all(&format!("select count(*) from {table}"))
            .join("")
    };
    history.say(&format!(
        "stores: {} events, {} facts, {} connection lines, {} verdicts",
        count("i.event"),
        count("c.fact"),
        count("c.connection"),
        count("c.verdict"),
    ));
}

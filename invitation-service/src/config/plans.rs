//! The keys of plans, `[plans.NAME]`, and which of their numbers go badly together.

use service_kit::config::{Findings, Key, Table};

use super::Config;
use crate::domain::{
    plan::{BASIC, Limits, WEEKLY_CAP_MAX},
    policy::Policy,
};

/// The table of plans. A plan begins with the limits of everybody.
pub(super) fn table() -> Table<Config> {
    Table {
        path: "plans",
        meaning: "A plan: limits for the members to whom an operator gives it with `SetMemberPlan`. What it does not say is as for everybody. \
                  Every other member has the plan `basic`, whose limits are the keys under `limits`",
        enter: |config, name| {
            let basic = config.policy.basic();
            config.policy.plans.entry(name.to_owned()).or_insert(basic);
        },
        keys,
    }
}

fn keys(name: &str) -> Vec<Key<Config>> {
    let key = |last: &str, range, field: fn(&mut Limits) -> &mut u32, meaning| {
        let path = format!("plans.{name}.{last}");
        let own = name.to_owned();
        Key::count(path, "invitations", range, field, meaning)
            .within(move |config: &mut Config| limits(&mut config.policy, &own))
    };
    vec![
        key(
            "weekly_cap",
            0..=u64::from(WEEKLY_CAP_MAX),
            |limits| &mut limits.weekly_cap,
            "invitations that a member of the plan may send within the window",
        ),
        key(
            "pending_sent_max",
            1..=1_000_000,
            |limits| &mut limits.pending_sent_max,
            "unanswered invitations that an inviter of the plan may have",
        ),
        key(
            "pending_received_soft_max",
            0..=10_000_000,
            |limits| &mut limits.pending_received_soft_max,
            "unanswered invitations that an invitee of the plan has before further ones are filtered",
        ),
    ]
}

/// The limits of a plan, which is made where it is not there.
fn limits<'a>(policy: &'a mut Policy, name: &str) -> &'a mut Limits {
    let basic = policy.basic();
    policy.plans.entry(name.to_owned()).or_insert(basic)
}

/// What does not fit together, or should be known.
pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    if policy.plans.contains_key(BASIC) {
        findings.wrong(
            &["plans.basic"],
            "basic is the plan of everybody who was given no other; its limits are the keys under limits",
        );
    }
    for (name, plan) in &policy.plans {
        let key = |key: &str| format!("plans.{name}.{key}");
        if plan.pending_sent_max < plan.weekly_cap {
            findings.risky(
                &[&key("pending_sent_max"), &key("weekly_cap")],
                "a member of the plan meets the cap on unanswered invitations before the weekly cap, though the quota still shows places \
                 for the week",
            );
        }
        if plan.weekly_cap < policy.weekly_cap {
            findings.risky(
                &[&key("weekly_cap"), "limits.weekly_cap"],
                "members of the plan may send less than those who were given none",
            );
        }
    }
}

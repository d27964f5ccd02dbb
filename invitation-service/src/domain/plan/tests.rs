use service_kit::time::Span;

use super::*;
use crate::domain::{
    fixture::{INVITEE, INVITER, START, member, policy},
    window::RollingLog,
};

const PREMIUM: Limits = Limits {
    weekly_cap: 5,
    pending_sent_max: 6,
    pending_received_soft_max: 7,
};

fn with_premium() -> Policy {
    let mut policy = policy();
    policy.plans.insert("premium".to_owned(), PREMIUM);
    policy
}

#[test]
fn the_limits_are_those_of_the_plan_if_it_is_configured() {
    let policy = with_premium();
    let basic = (BASIC, policy.basic());
    for (assigned, in_force) in [
        (None, basic),
        (Some("basic"), basic),
        (Some("premium"), ("premium", PREMIUM)),
        (Some("gold"), basic),
        (Some("Premium"), basic),
    ] {
        let mut inviter = member(INVITER);
        if let Some(name) = assigned {
            inviter.assign_plan(name);
        }
        assert_eq!(inviter.plan_in_force(&policy), in_force, "{assigned:?}");
        assert_eq!(
            inviter.allowed(&policy, START).limits,
            in_force.1,
            "{assigned:?}"
        );
    }
}

#[test]
fn assigning_says_whether_anything_changes() {
    let mut inviter = member(INVITER);
    for (name, changes, plan) in [
        ("basic", false, None),
        ("premium", true, Some("premium")),
        ("premium", false, Some("premium")),
        ("gold", true, Some("gold")),
        ("basic", true, None),
    ] {
        assert_eq!(inviter.assign_plan(name), changes, "{name}");
        assert_eq!(inviter.plan.as_deref(), plan, "{name}");
    }
}

#[test]
fn a_plan_that_is_no_longer_configured_is_in_force_again_when_it_is_back() {
    let mut inviter = member(INVITER);
    inviter.assign_plan("premium");
    assert_eq!(inviter.plan_in_force(&policy()).0, BASIC);
    assert_eq!(inviter.plan_in_force(&with_premium()).0, "premium");
}

#[test]
fn the_quota_shows_the_caps_of_the_plan_and_what_was_used_under_another() {
    let mut inviter = member(INVITER);
    inviter.charges = RollingLog::default();
    for _ in 0..4 {
        inviter.charges.record(START, Span::days(7));
    }
    inviter.sent_pending = 4;
    let quota = inviter.quota(&with_premium(), START);
    assert_eq!((quota.weekly_cap, quota.used, quota.remaining), (3, 4, 0));
    assert_eq!(quota.pending_cap, 4);
    inviter.assign_plan("premium");
    let quota = inviter.quota(&with_premium(), START);
    assert_eq!((quota.weekly_cap, quota.used, quota.remaining), (5, 4, 1));
    assert_eq!((quota.pending_cap, quota.pending_sent), (6, 4));
}

#[test]
fn names_of_plans_are_told_with_basic_first() {
    let policy = with_premium();
    let names: Vec<_> = policy.plan_names().collect();
    assert_eq!(names, ["basic", "premium"]);
    assert_eq!(member(INVITEE).plan, None);
}

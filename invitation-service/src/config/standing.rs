//! The keys of standing, and which of them go badly together.

use service_kit::{
    config::{Choice, Findings, Key, Unit},
    time::Span,
};

use crate::domain::{
    plan::WEEKLY_CAP_MAX,
    policy::Policy,
    standing::{Mode, StandingPolicy, days::DAYS_MAX, traces::NOTES_MAX, weeks::WEEKS_MAX},
};

impl Choice for Mode {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("enforce", Self::Enforce),
        ("shadow", Self::Shadow),
        ("off", Self::Off),
    ];
    const SHAPE: &'static str = "enforce | shadow | off";
}

type Place<T> = fn(&mut StandingPolicy) -> &mut T;

fn count(
    path: &'static str,
    unit: &'static str,
    most: u64,
    place: Place<u32>,
    meaning: &'static str,
) -> Key<StandingPolicy> {
    let least = u64::from(unit != "invitations");
    Key::count(path, unit, least..=most, place, meaning)
}

fn percent(
    path: &'static str,
    most: u64,
    place: Place<u32>,
    meaning: &'static str,
) -> Key<StandingPolicy> {
    Key::count(path, "percent", 0..=most, place, meaning)
}

/// The keys of standing.
pub(super) fn keys() -> Vec<Key<StandingPolicy>> {
    let mut keys = vec![Key::text(
        "standing.mode",
        Mode::form(),
        |p: &mut StandingPolicy| &mut p.mode,
        "`enforce`: how a member's invitations are taken decides how many they may send; `shadow`: that is counted and shown, and everybody \
         has the limits of NORMAL; `off`: nothing is counted",
    )];
    keys.extend(limits());
    keys.extend(grades());
    keys.extend(flags());
    keys.extend(strikes());
    keys
}

fn limits() -> Vec<Key<StandingPolicy>> {
    vec![
        count(
            "standing.new_weekly_cap",
            "invitations",
            WEEKLY_CAP_MAX.into(),
            |p| &mut p.new_weekly_cap,
            "invitations that a NEW member may send within the window, if their plan allows as many; likewise the next three",
        ),
        count(
            "standing.normal_weekly_cap",
            "invitations",
            WEEKLY_CAP_MAX.into(),
            |p| &mut p.normal_weekly_cap,
            "invitations that a NORMAL member may send within the window",
        ),
        count(
            "standing.trusted_weekly_cap",
            "invitations",
            WEEKLY_CAP_MAX.into(),
            |p| &mut p.trusted_weekly_cap,
            "invitations that a TRUSTED member may send within the window",
        ),
        count(
            "standing.limited_weekly_cap",
            "invitations",
            WEEKLY_CAP_MAX.into(),
            |p| &mut p.limited_weekly_cap,
            "invitations that a LIMITED member may send within the window",
        ),
        Key::count(
            "standing.pending_sent_max",
            "invitations",
            1..=1_000_000,
            |p: &mut StandingPolicy| &mut p.pending_sent_max,
            "unanswered invitations that an inviter may have who is not TRUSTED, if their plan allows as many",
        ),
        Key::count(
            "standing.trusted_pending_sent_max",
            "invitations",
            1..=1_000_000,
            |p: &mut StandingPolicy| &mut p.trusted_pending_sent_max,
            "unanswered invitations that a TRUSTED inviter may have, if their plan allows as many",
        ),
    ]
}

fn grades() -> Vec<Key<StandingPolicy>> {
    vec![
        Key::count(
            "standing.weeks",
            "weeks",
            1..=u64::from(WEEKS_MAX),
            |p: &mut StandingPolicy| &mut p.weeks,
            "weeks of outcomes that are looked at, Monday to Sunday in UTC, the current one among them",
        ),
        Key::span(
            "standing.unanswered_after_days",
            Unit::Days,
            1..=u64::from(DAYS_MAX),
            |p: &mut StandingPolicy| &mut p.unanswered_after,
            "time after which an unanswered invitation counts as expired, in UTC days after that of its sending",
        ),
        count(
            "standing.outcomes_min",
            "outcomes",
            1_000_000,
            |p| &mut p.outcomes_min,
            "outcomes below which nothing is concluded from the rate of acceptance",
        ),
        percent(
            "standing.reported_percent",
            1_000,
            |p| &mut p.reported_percent,
            "weight of a report in the rate; an acceptance weighs 100",
        ),
        percent(
            "standing.expired_percent",
            1_000,
            |p| &mut p.expired_percent,
            "weight of an expired invitation in the rate",
        ),
        percent(
            "standing.withdrawn_percent",
            1_000,
            |p| &mut p.withdrawn_percent,
            "weight of a withdrawn invitation in the rate",
        ),
        count(
            "standing.new_outcomes_min",
            "outcomes",
            1_000_000,
            |p| &mut p.new_outcomes_min,
            "outcomes until which a member is NEW",
        ),
        Key::span(
            "standing.new_min_days",
            Unit::Days,
            0..=365,
            |p: &mut StandingPolicy| &mut p.new_min,
            "time for which a member is NEW at least, from the first invitation on",
        ),
        percent(
            "standing.limited_below_percent",
            100,
            |p| &mut p.limited_below_percent,
            "rate under which a member is LIMITED who is not NEW",
        ),
        percent(
            "standing.new_limited_below_percent",
            100,
            |p| &mut p.new_limited_below_percent,
            "rate under which a NEW member is LIMITED",
        ),
        percent(
            "standing.limited_until_above_percent",
            100,
            |p| &mut p.limited_until_above_percent,
            "rate above which a member is LIMITED no longer, unless that would be LIMITED again at once",
        ),
        Key::span(
            "standing.limited_min_days",
            Unit::Days,
            0..=365,
            |p: &mut StandingPolicy| &mut p.limited_min,
            "time for which a member is LIMITED at least",
        ),
        percent(
            "standing.trusted_from_percent",
            100,
            |p| &mut p.trusted_from_percent,
            "rate from which on a member is TRUSTED",
        ),
        count(
            "standing.trusted_outcomes_min",
            "outcomes",
            1_000_000,
            |p| &mut p.trusted_outcomes_min,
            "outcomes that it takes to become TRUSTED",
        ),
        percent(
            "standing.trusted_below_percent",
            100,
            |p| &mut p.trusted_below_percent,
            "rate under which a member is TRUSTED no longer",
        ),
    ]
}

fn flags() -> Vec<Key<StandingPolicy>> {
    vec![
        Key::span(
            "standing.churn_within_days",
            Unit::Days,
            1..=30,
            |p: &mut StandingPolicy| &mut p.churn_within,
            "time over which withdrawals are looked at, in UTC days, today among them",
        ),
        count(
            "standing.churn_sent_min",
            "sends",
            1_000_000,
            |p| &mut p.churn_sent_min,
            "invitations sent in these days from which on withdrawals can be churn",
        ),
        percent(
            "standing.churn_above_percent",
            100,
            |p| &mut p.churn_above_percent,
            "share of them withdrawn above which it is churn",
        ),
        count(
            "standing.churn_rounds",
            "rounds",
            30,
            |p| &mut p.churn_rounds,
            "times that one member is sent to and withdrawn from in these days that are churn",
        ),
        Key::count(
            "standing.same_note_members",
            "members",
            2..=NOTES_MAX as u64,
            |p: &mut StandingPolicy| &mut p.same_note_members,
            "members to whom the same note goes that raise the flag",
        ),
        Key::span(
            "standing.same_note_within_days",
            Unit::Days,
            1..=30,
            |p: &mut StandingPolicy| &mut p.same_note_within,
            "time over which notes are looked at, in UTC days, today among them",
        ),
        count(
            "standing.unanswered_max",
            "unanswered",
            1_000_000,
            |p| &mut p.unanswered_max,
            "unanswered invitations that count as expired which raise the flag",
        ),
        percent(
            "standing.unanswered_percent",
            100,
            |p| &mut p.unanswered_percent,
            "share of the cap on unanswered invitations that raises the flag",
        ),
    ]
}

fn strikes() -> Vec<Key<StandingPolicy>> {
    let ladder =
        |path, place: Place<Span>, meaning| Key::span(path, Unit::Hours, 0..=8_760, place, meaning);
    vec![
        percent(
            "standing.strike_below_percent",
            100,
            |p| &mut p.strike_below_percent,
            "rate under which there is a strike; so there is for a flag besides low acceptance while LIMITED",
        ),
        count(
            "standing.strike_outcomes",
            "outcomes",
            1_000_000,
            |p| &mut p.strike_outcomes,
            "outcomes since a strike that it takes for a further one",
        ),
        Key::span(
            "standing.strike_forgotten_days",
            Unit::Days,
            1..=3_650,
            |p: &mut StandingPolicy| &mut p.strike_forgotten_after,
            "time after the last strike at which strikes are forgotten",
        ),
        ladder(
            "standing.strike_1_hours",
            |p| {
                let [first, ..] = &mut p.ladder;
                first
            },
            "time for which the first strike restricts",
        ),
        ladder(
            "standing.strike_2_hours",
            |p| {
                let [_, second, ..] = &mut p.ladder;
                second
            },
            "time for which the second strike restricts",
        ),
        ladder(
            "standing.strike_3_hours",
            |p| {
                let [_, _, third, _] = &mut p.ladder;
                third
            },
            "time for which the third strike restricts",
        ),
        ladder(
            "standing.strike_4_hours",
            |p| {
                let [.., further] = &mut p.ladder;
                further
            },
            "time for which each further strike restricts",
        ),
    ]
}

/// What does not fit together, or should be known.
pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    let standing = &policy.standing;
    if standing.limited_until_above_percent < standing.limited_below_percent {
        findings.wrong(
            &["standing.limited_until_above_percent", "standing.limited_below_percent"],
            "must be at least standing.limited_below_percent, or a member would be LIMITED and not at the same rate",
        );
    }
    if standing.trusted_from_percent < standing.trusted_below_percent {
        findings.wrong(
            &["standing.trusted_from_percent", "standing.trusted_below_percent"],
            "must be at least standing.trusted_below_percent, or a member would be TRUSTED and not at the same rate",
        );
    }
    if standing.new_limited_below_percent < standing.limited_below_percent {
        findings.wrong(
            &[
                "standing.new_limited_below_percent",
                "standing.limited_below_percent",
            ],
            "must be at least standing.limited_below_percent: whoever is known is judged no harder than whoever is not",
        );
    }
    if standing.limited_below_percent < standing.strike_below_percent {
        findings.wrong(
            &[
                "standing.strike_below_percent",
                "standing.limited_below_percent",
            ],
            "must be at most standing.limited_below_percent: whoever has a strike is LIMITED",
        );
    }
    if standing.mode != Mode::Enforce {
        findings.risky(
            &["standing.mode"],
            "nobody is limited for how their invitations are taken, whatever that is",
        );
    }
}

#[cfg(test)]
mod tests;

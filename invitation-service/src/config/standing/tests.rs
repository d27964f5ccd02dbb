use service_kit::{
    config::{ConfigError, Given, Loaded},
    time::Span,
};

use super::*;
use crate::config::Config;

fn of(flags: &[(&str, &str)]) -> Result<Loaded<Config>, ConfigError> {
    let flags = flags.iter().map(|(key, text)| {
        let path = format!("standing.{key}");
        (path, (*text).to_owned())
    });
    Config::schema().load(&Given {
        flags: flags.collect(),
        ..Given::default()
    })
}

#[test]
fn keys_are_what_they_say() {
    let flags = [
        ("mode", "shadow"),
        ("new_weekly_cap", "1"),
        ("normal_weekly_cap", "2"),
        ("trusted_weekly_cap", "3"),
        ("limited_weekly_cap", "0"),
        ("pending_sent_max", "5"),
        ("trusted_pending_sent_max", "6"),
        ("weeks", "7"),
        ("unanswered_after_days", "8"),
        ("outcomes_min", "9"),
        ("reported_percent", "400"),
        ("expired_percent", "11"),
        ("withdrawn_percent", "12"),
        ("new_outcomes_min", "13"),
        ("new_min_days", "14"),
        ("new_limited_below_percent", "18"),
        ("limited_below_percent", "15"),
        ("limited_until_above_percent", "16"),
        ("limited_min_days", "17"),
        ("trusted_from_percent", "61"),
        ("trusted_outcomes_min", "19"),
        ("trusted_below_percent", "51"),
        ("churn_within_days", "21"),
        ("churn_sent_min", "22"),
        ("churn_above_percent", "23"),
        ("churn_rounds", "24"),
        ("same_note_members", "25"),
        ("same_note_within_days", "26"),
        ("unanswered_max", "27"),
        ("unanswered_percent", "28"),
        ("strike_below_percent", "9"),
        ("strike_outcomes", "30"),
        ("strike_forgotten_days", "31"),
        ("strike_1_hours", "32"),
        ("strike_2_hours", "33"),
        ("strike_3_hours", "34"),
        ("strike_4_hours", "35"),
    ];
    let expected = StandingPolicy {
        mode: Mode::Shadow,
        new_weekly_cap: 1,
        normal_weekly_cap: 2,
        trusted_weekly_cap: 3,
        limited_weekly_cap: 0,
        pending_sent_max: 5,
        trusted_pending_sent_max: 6,
        weeks: 7,
        unanswered_after: Span::days(8),
        outcomes_min: 9,
        reported_percent: 400,
        expired_percent: 11,
        withdrawn_percent: 12,
        new_outcomes_min: 13,
        new_min: Span::days(14),
        limited_below_percent: 15,
        new_limited_below_percent: 18,
        limited_until_above_percent: 16,
        limited_min: Span::days(17),
        trusted_from_percent: 61,
        trusted_outcomes_min: 19,
        trusted_below_percent: 51,
        churn_within: Span::days(21),
        churn_sent_min: 22,
        churn_above_percent: 23,
        churn_rounds: 24,
        same_note_members: 25,
        same_note_within: Span::days(26),
        unanswered_max: 27,
        unanswered_percent: 28,
        strike_below_percent: 9,
        strike_outcomes: 30,
        strike_forgotten_after: Span::days(31),
        ladder: [32, 33, 34, 35].map(Span::hours),
    };
    assert_eq!(flags.len(), keys().len(), "every key is here");
    assert_eq!(of(&flags).unwrap().config.policy.standing, expected);
}

#[test]
fn what_cannot_stand_together_is_refused() {
    let cases: [(&str, &[(&str, &str)]); 4] = [
        (
            "standing.limited_until_above_percent",
            &[("limited_until_above_percent", "19")],
        ),
        (
            "standing.trusted_from_percent",
            &[("trusted_from_percent", "49")],
        ),
        (
            "standing.new_limited_below_percent",
            &[("new_limited_below_percent", "19")],
        ),
        (
            "standing.strike_below_percent",
            &[("strike_below_percent", "21")],
        ),
    ];
    for (key, flags) in cases {
        let error = of(flags).unwrap_err();
        let keys = error.mistakes().iter().map(|wrong| wrong.key.as_str());
        assert_eq!(keys.collect::<Vec<_>>(), [key], "{flags:?}");
    }
}

#[test]
fn what_is_not_enforced_is_warned_of() {
    for (mode, expected) in [
        ("enforce", vec![]),
        ("shadow", vec!["standing.mode"]),
        ("off", vec!["standing.mode"]),
    ] {
        let warnings = of(&[("mode", mode)]).unwrap().warnings;
        let keys: Vec<_> = warnings.iter().map(|warning| &*warning.key).collect();
        assert_eq!(keys, expected, "{mode}");
    }
    let error = of(&[("mode", "Enforce")]).unwrap_err();
    assert_eq!(error.mistakes()[0].key, "standing.mode");
}

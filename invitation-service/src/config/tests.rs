use service_kit::config::{ConfigError, Given, Loaded};
use service_kit::time::Span;

use super::*;

fn of(flags: &[(&str, &str)]) -> Result<Loaded<Config>, ConfigError> {
    let flags = flags
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Config::schema().load(&Given {
        flags: flags.collect(),
        ..Given::default()
    })
}

#[test]
fn keys_are_what_they_say() {
    let config = of(&[
        ("listen", "[::1]:7"),
        ("database.url", "sqlite:/tmp/x.db"),
        ("connection.url", "http://localhost:9"),
        ("limits.weekly_cap", "0"),
        ("limits.pending_sent_max", "2"),
        ("limits.pending_received_soft_max", "3"),
        ("limits.connections_max", "4"),
        ("limits.probe_refusals_max", "5"),
        ("invitation.lifetime_days", "30"),
        ("decline.cooldown_days", "7"),
        ("resend.cooldown_after_withdraw_days", "8"),
    ])
    .unwrap()
    .config;
    let mut expected = Config::new(SqliteOptions::new("/tmp/x.db"));
    expected.listen = "[::1]:7".parse().unwrap();
    expected.connections.url = "http://localhost:9".to_owned();
    expected.policy = Policy {
        weekly_cap: 0,
        pending_sent_max: 2,
        pending_received_soft_max: 3,
        connections_max: 4,
        probe_refusals_max: 5,
        invitation_lifetime: Span::days(30),
        decline_cooldown: Span::days(7),
        withdraw_cooldown: Span::days(8),
        ..Policy::default()
    };
    assert_eq!(config, expected);
}

#[test]
fn the_defaults_are_not_risky() {
    assert_eq!(of(&[]).unwrap().warnings, []);
}

#[test]
fn what_is_risky_is_warned_of() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("limits.weekly_cap", &[("limits.weekly_cap", "0")]),
        (
            "limits.weekly_window_days",
            &[("limits.weekly_window_days", "8")],
        ),
        (
            "limits.pending_sent_max",
            &[("limits.pending_sent_max", "99")],
        ),
        (
            "invitation.lifetime_days",
            &[("invitation.lifetime_days", "20")],
        ),
        (
            "invitation.lifetime_days",
            &[
                ("invitation.lifetime_days", "6"),
                ("decline.cooldown_days", "1"),
            ],
        ),
        ("decline.cooldown_days", &[("decline.cooldown_days", "0")]),
        (
            "invitation.ended_kept_hours",
            &[("invitation.ended_kept_hours", "25")],
        ),
        (
            "invitation.request_kept_hours",
            &[("invitation.request_kept_hours", "23")],
        ),
        ("server.drain_seconds", &[("server.drain_seconds", "2")]),
        ("metrics.listen", &[("metrics.listen", "0.0.0.0:9090")]),
        ("sqlite.synchronous", &[("sqlite.synchronous", "normal")]),
        (
            "group_commit.queue_commands_max",
            &[("group_commit.queue_commands_max", "255")],
        ),
    ];
    for (key, flags) in cases {
        let warnings = of(flags).unwrap().warnings;
        let keys: Vec<_> = warnings
            .iter()
            .map(|warning| warning.key.as_str())
            .collect();
        assert_eq!(keys, [*key], "{flags:?}");
    }
}

#[test]
fn what_cannot_stand_together_is_refused() {
    let error = of(&[("acceptance.retry_max_millis", "999")]).unwrap_err();
    assert_eq!(error.mistakes()[0].key, "acceptance.retry_max_millis");
    assert_eq!(error.mistakes().len(), 1);
}

#[test]
fn figures_are_not_shown_where_callers_are_served() {
    let same = of(&[("metrics.listen", "127.0.0.1:7"), ("listen", "127.0.0.1:7")]);
    let error = same.unwrap_err();
    assert_eq!(error.mistakes()[0].key, "metrics.listen");
}

use service_kit::balance::HttpHosts;
use service_kit::config::{ConfigError, Given, Loaded};
use service_kit::deadline::DeadlineOptions;
use service_kit::fields::{BatchOptions, Pages};
use service_kit::time::Span;

use super::*;
use crate::domain::plan::Limits;
use crate::limiter::redis::RedisUrl;

fn of(flags: &[(&str, &str)]) -> Result<Loaded<Config>, ConfigError> {
    let flags = flags
        .iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
    Config::schema().load(&Given {
        flags: flags.collect(),
        ..Given::default()
    })
}

fn of_file(text: &str) -> Result<Loaded<Config>, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("invitation.toml");
    std::fs::write(&file, text).unwrap();
    Config::schema().load(&Given {
        file: Some(file),
        ..Given::default()
    })
}

#[test]
fn keys_are_what_they_say() {
    let config = of(&[
        ("listen", "[::1]:7"),
        ("database.url", "sqlite:/tmp/x.db"),
        ("connection.url", "http://localhost:9"),
        ("connection.lookup_millis", "37"),
        ("limits.weekly_cap", "0"),
        ("limits.pending_sent_max", "2"),
        ("limits.pending_received_soft_max", "3"),
        ("limits.connections_max", "4"),
        ("limits.probe_refusals_max", "5"),
        ("invitation.lifetime_days", "30"),
        ("decline.cooldown_days", "7"),
        ("resend.cooldown_after_withdraw_days", "8"),
        ("invitation.note_chars_max", "9"),
        ("invitation.source_chars_max", "10"),
        ("auto_withdraw.min_days", "11"),
        ("auto_withdraw.max_days", "12"),
        ("watch.member_backlog_max", "13"),
        ("page.size_default", "14"),
        ("page.size_max", "15"),
        ("lookup.members_max", "16"),
        ("batch.items_max", "17"),
        ("batch.matched_max", "18"),
        ("server.deadline_default_millis", "5019"),
        ("server.deadline_max_seconds", "20"),
        ("server.message_bytes_max", "200021"),
        ("server.answer_bytes_max", "200022"),
        ("connection.ask_pairs_max", "23"),
        ("connection.ask_calls_max", "24"),
        ("connection.ask_waiting_max", "25"),
        ("connection.fold_facts_max", "26"),
        ("worker.pairs_max", "27"),
        ("worker.members_max", "28"),
        ("worker.acceptances_max", "29"),
        ("limiter.members_max", "30"),
        ("limiter.recheck_hours", "31"),
        ("redis.url", "redis://cache:32"),
        ("redis.timeout_millis", "33"),
        ("redis.connect_timeout_millis", "34"),
        ("redis.failures_max", "35"),
        ("redis.retry_millis", "36"),
    ])
    .unwrap()
    .config;
    let mut expected = Config::new(SqliteOptions::new("data/invitations.db"));
    expected.store = StoreAddress::File("/tmp/x.db".into());
    expected.listen = "[::1]:7".parse().unwrap();
    expected.connections.url = HttpHosts::parse("http://localhost:9").unwrap();
    expected.connections.balance.lookup_every = Duration::from_millis(37);
    expected.policy = Policy {
        weekly_cap: 0,
        pending_sent_max: 2,
        pending_received_soft_max: 3,
        connections_max: 4,
        probe_refusals_max: 5,
        invitation_lifetime: Span::days(30),
        decline_cooldown: Span::days(7),
        withdraw_cooldown: Span::days(8),
        note_chars_max: 9,
        source_chars_max: 10,
        auto_withdraw_min: Span::days(11),
        auto_withdraw_max: Span::days(12),
        member_backlog_max: 13,
        ..Policy::default()
    };
    expected.requests = RequestOptions {
        pages: Pages {
            default: 14,
            max: 15,
        },
        lookup_members_max: 16,
        batches: BatchOptions {
            items_max: 17,
            matched_max: 18,
        },
    };
    expected.server.deadlines = DeadlineOptions {
        default: Duration::from_millis(5_019),
        max: Duration::from_secs(20),
    };
    expected.server.message_bytes_max = 200_021;
    expected.server.answer_bytes_max = 200_022;
    expected.connections.ask.pairs_max = 23;
    expected.connections.ask.calls_max = 24;
    expected.connections.ask.waiting_max = 25;
    expected.fold_facts_max = 26;
    expected.worker.pairs_max = 27;
    expected.worker.members_max = 28;
    expected.worker.acceptances_max = 29;
    expected.limiter_members_max = 30;
    expected.limiter_recheck = Span::hours(31);
    expected.redis = RedisOptions {
        url: Some(RedisUrl::parse("redis://cache:32").unwrap()),
        timeout: Duration::from_millis(33),
        connect_timeout: Duration::from_millis(34),
        failures_max: 35,
        retry: Duration::from_millis(36),
        ..RedisOptions::default()
    };
    assert_eq!(config, expected);
}

#[test]
fn the_defaults_are_not_risky() {
    assert_eq!(of(&[]).unwrap().warnings, []);
}

/// Flags with the one key that is warned of.
type Risky<'a> = (&'a str, &'a [(&'a str, &'a str)]);

fn warned_of(cases: &[Risky]) {
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
fn what_is_risky_is_warned_of() {
    warned_of(&[
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
        (
            "invitation.lifetime_days",
            &[
                ("auto_withdraw.min_days", "180"),
                ("invitation.lifetime_days", "179"),
            ],
        ),
        ("server.drain_seconds", &[("server.drain_seconds", "2")]),
        ("metrics.listen", &[("metrics.listen", "0.0.0.0:9090")]),
        ("sqlite.synchronous", &[("sqlite.synchronous", "normal")]),
        (
            "group_commit.queue_commands_max",
            &[("group_commit.queue_commands_max", "255")],
        ),
        (
            "redis.timeout_millis",
            &[
                ("redis.url", "redis://cache"),
                ("redis.timeout_millis", "251"),
            ],
        ),
    ]);
}

#[test]
fn what_may_not_fit_is_warned_of() {
    warned_of(&[
        (
            "page.size_max",
            &[
                ("invitation.note_chars_max", "2000"),
                ("page.size_max", "600"),
            ],
        ),
        ("page.size_max", &[("server.answer_bytes_max", "1000000")]),
        (
            "batch.items_max",
            &[
                ("batch.items_max", "1000"),
                ("invitation.note_chars_max", "1100"),
                ("page.size_max", "800"),
            ],
        ),
        (
            "batch.items_max",
            &[
                ("group_commit.queue_commands_max", "256"),
                ("batch.items_max", "257"),
            ],
        ),
        (
            "lookup.members_max",
            &[
                ("lookup.members_max", "10000"),
                ("server.message_bytes_max", "600000"),
            ],
        ),
        (
            "lookup.members_max",
            &[
                ("lookup.members_max", "10000"),
                ("server.answer_bytes_max", "1000000"),
                ("page.size_max", "500"),
            ],
        ),
        (
            "server.answer_bytes_max",
            &[("server.answer_bytes_max", "4194305")],
        ),
        (
            "server.held_bytes_max",
            &[("server.held_bytes_max", "4210687")],
        ),
        (
            "server.held_bytes_max",
            &[("server.message_bytes_max", "16777216")],
        ),
        (
            "server.deadline_default_millis",
            &[("server.deadline_default_millis", "3000")],
        ),
    ]);
}

#[test]
fn what_cannot_stand_together_is_refused() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        (
            "acceptance.retry_max_millis",
            &[("acceptance.retry_max_millis", "999")],
        ),
        ("auto_withdraw.max_days", &[("auto_withdraw.max_days", "6")]),
        ("page.size_default", &[("page.size_max", "49")]),
        ("batch.matched_max", &[("batch.matched_max", "99")]),
        (
            "batch.items_max",
            &[
                ("batch.items_max", "1000"),
                ("server.message_bytes_max", "40000"),
            ],
        ),
        (
            "server.deadline_default_millis",
            &[("server.deadline_default_millis", "60001")],
        ),
        ("redis.password_file", &[("redis.password_file", "x")]),
        (
            "redis.password_file",
            &[
                ("redis.url", "redis://:x@cache"),
                ("redis.password_file", "x"),
            ],
        ),
        ("redis.ca_file", &[("redis.ca_file", "x")]),
        (
            "redis.ca_file",
            &[("redis.url", "redis://cache"), ("redis.ca_file", "x")],
        ),
    ];
    for (key, flags) in cases {
        let error = of(flags).unwrap_err();
        let keys: Vec<_> = error
            .mistakes()
            .iter()
            .map(|wrong| wrong.key.as_str())
            .collect();
        assert_eq!(keys, [*key], "{flags:?}");
    }
}

#[test]
fn the_password_for_redis_is_never_shown() {
    let loaded = of(&[("redis.url", "rediss://acquaint:geheim@cache:7")]).unwrap();
    let url = loaded.config.redis.url.as_ref().unwrap();
    assert_eq!(url.to_string(), "rediss://cache:7/0");
    let shown = [loaded.to_toml(), format!("{:?}", loaded.config)];
    let wrong = of(&[("redis.url", "redis//geheim")]).unwrap_err();
    for text in shown.iter().chain([&wrong.to_string()]) {
        let named = text.to_lowercase().contains("redis");
        assert!(named && !text.contains("geheim"), "{text}");
    }
}

#[test]
fn figures_are_not_shown_where_callers_are_served() {
    let same = of(&[("metrics.listen", "127.0.0.1:7"), ("listen", "127.0.0.1:7")]);
    let error = same.unwrap_err();
    assert_eq!(error.mistakes()[0].key, "metrics.listen");
}

#[test]
fn a_plan_begins_with_the_limits_of_everybody() {
    let file = "[limits]\nweekly_cap = 60\n[plans.premium]\nweekly_cap = 70\n[plans.sales]\n";
    let plans = of_file(file).unwrap().config.policy.plans;
    let basic = Limits {
        weekly_cap: 60,
        pending_sent_max: 3_000,
        pending_received_soft_max: 10_000,
    };
    let premium = Limits {
        weekly_cap: 70,
        ..basic
    };
    let expected = [("premium".to_owned(), premium), ("sales".to_owned(), basic)];
    assert_eq!(plans, expected.into());
}

#[test]
fn each_key_of_a_plan_is_what_it_says() {
    let file = "[plans.premium]\nweekly_cap = 200\npending_sent_max = 300\npending_received_soft_max = 400";
    let expected = Limits {
        weekly_cap: 200,
        pending_sent_max: 300,
        pending_received_soft_max: 400,
    };
    let plans = of_file(file).unwrap().config.policy.plans;
    assert_eq!(plans, [("premium".to_owned(), expected)].into());
}

#[test]
fn plans_that_are_risky_are_warned_of_and_basic_is_no_table() {
    let risky =
        "[plans.small]\nweekly_cap = 99\n[plans.narrow]\nweekly_cap = 200\npending_sent_max = 199";
    let warnings = of_file(risky).unwrap().warnings;
    let keys: Vec<_> = warnings
        .iter()
        .map(|warning| warning.key.as_str())
        .collect();
    assert_eq!(
        keys,
        ["plans.narrow.pending_sent_max", "plans.small.weekly_cap"]
    );
    let error = of_file("[plans.basic]\nweekly_cap = 5").unwrap_err();
    let told = error.mistakes().iter().map(ToString::to_string);
    let told: Vec<_> = told.collect();
    assert!(
        told[0].starts_with("plans.basic (/") && told[0].contains("keys under limits"),
        "{told:?}"
    );
    assert_eq!(told.len(), 1);
}

#[test]
fn presets_stand_in_for_the_defaults() {
    let linkedin = of(&[("preset", "linkedin")]).unwrap().config.policy;
    assert_eq!(linkedin.withdraw_cooldown, Span::days(21));
    assert_eq!(
        (linkedin.weekly_cap, linkedin.plans["premium"].weekly_cap),
        (100, 200)
    );
    let open = of(&[("preset", "open"), ("limits.weekly_cap", "2000")])
        .unwrap()
        .config
        .policy;
    assert_eq!((open.weekly_cap, open.pending_sent_max), (2_000, 10_000));
}

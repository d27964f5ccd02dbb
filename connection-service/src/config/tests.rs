use service_kit::config::{ConfigError, Given, Loaded};
use service_kit::fields::{BatchOptions, Pages};
use service_kit::sqlite::Synchronous;
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
        ("sqlite.synchronous", "normal"),
        ("limits.connections_max", "5"),
        ("limits.blocks_max", "0"),
        ("removal.marks_max", "7"),
        ("removal.mark_hours", "8"),
        ("facts.kept_days", "9"),
        ("verdicts.kept_days", "10"),
        ("acknowledgement.wait_millis", "11"),
        ("page.size_default", "12"),
        ("page.size_max", "13"),
        ("lookup.members_max", "14"),
        ("card.name_chars_max", "17"),
        ("card.headline_chars_max", "18"),
        ("list.query_chars_max", "19"),
        ("list.counted_max", "20"),
        ("roster.bytes_max", "21"),
        ("roster.connections_min", "22"),
        ("batch.cards_max", "23"),
        ("server.tool_streams_max", "15"),
        ("server.reflection_seconds", "16"),
        ("batch.items_max", "17"),
        ("batch.matched_max", "18"),
        ("labels.member_max", "23"),
        ("labels.connection_max", "24"),
        ("labels.chars_max", "25"),
        ("private_note.chars_max", "26"),
        ("import.open_max", "17"),
        ("import.window_rows_max", "19"),
        ("import.batch_rows_max", "18"),
        ("import.wait_seconds", "20"),
    ])
    .unwrap()
    .config;
    let mut expected = Config::new(SqliteOptions::new("data/connections.db"));
    expected.store = StoreAddress::File("/tmp/x.db".into());
    expected.listen = "[::1]:7".parse().unwrap();
    expected.database.synchronous = Synchronous::Normal;
    expected.policy = Policy {
        connections_max: 5,
        blocks_max: 0,
        removal_marks_max: 7,
        removal_mark_kept: Span::hours(8),
        facts_kept: Span::days(9),
        verdicts_kept: Span::days(10),
        acknowledgement_wait: Span::millis(11),
        name_chars_max: 17,
        headline_chars_max: 18,
        query_chars_max: 19,
        listed_counted_max: 20,
        roster_bytes_max: 21,
        roster_connections_min: 22,
        member_labels_max: 23,
        connection_labels_max: 24,
        label_chars_max: 25,
        private_note_chars_max: 26,
        ..Policy::default()
    };
    expected.cards.cards_max = 23;
    expected.requests = RequestOptions {
        pages: Pages {
            default: 12,
            max: 13,
        },
        lookup_members_max: 14,
        batches: BatchOptions {
            items_max: 17,
            matched_max: 18,
        },
    };
    expected.server.tool_streams_max = 15;
    expected.server.reflection_max = Duration::from_secs(16);
    expected.imports = ImportOptions {
        open_max: 17,
        window_rows_max: 19,
        batch_rows_max: 18,
        wait_max: Duration::from_secs(20),
    };
    assert_eq!(config, expected);
}

#[test]
fn the_defaults_are_not_risky() {
    let loaded = of(&[]).unwrap();
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.config.listen.to_string(), "127.0.0.1:50052");
}

#[test]
fn what_is_risky_is_warned_of() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("verdicts.kept_days", &[("verdicts.kept_days", "6")]),
        ("removal.mark_hours", &[("removal.mark_hours", "23")]),
        (
            "acknowledgement.wait_millis",
            &[("acknowledgement.wait_millis", "1001")],
        ),
        (
            "page.size_max",
            &[
                ("page.size_max", "10000"),
                ("batch.cards_max", "1"),
                ("server.answer_bytes_max", "900000"),
            ],
        ),
        (
            "lookup.members_max",
            &[
                ("lookup.members_max", "10000"),
                ("page.size_max", "50"),
                ("batch.cards_max", "1"),
                ("server.answer_bytes_max", "900000"),
            ],
        ),
        (
            "lookup.members_max",
            &[
                ("lookup.members_max", "10000"),
                ("batch.cards_max", "1"),
                ("server.message_bytes_max", "600000"),
            ],
        ),
        ("batch.cards_max", &[("batch.cards_max", "1000")]),
        (
            "labels.member_max",
            &[
                ("labels.member_max", "10000"),
                ("server.answer_bytes_max", "2000000"),
            ],
        ),
        (
            "private_note.chars_max",
            &[
                ("private_note.chars_max", "10000"),
                ("labels.connection_max", "100"),
                ("labels.chars_max", "100"),
                ("batch.cards_max", "1"),
                ("server.message_bytes_max", "75000"),
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
            "server.deadline_default_millis",
            &[("server.deadline_default_millis", "200")],
        ),
        ("server.drain_seconds", &[("server.drain_seconds", "0")]),
        (
            "import.window_rows_max",
            &[("import.window_rows_max", "3999")],
        ),
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
fn what_would_stop_the_feed_is_refused() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        (
            "server.message_bytes_max",
            &[("server.message_bytes_max", "70000")],
        ),
        (
            "server.answer_bytes_max",
            &[("server.answer_bytes_max", "220000")],
        ),
        (
            "watch.positions_at_once_max",
            &[
                ("watch.positions_at_once_max", "10000"),
                ("server.answer_bytes_max", "2000000"),
            ],
        ),
        ("page.size_default", &[("page.size_max", "49")]),
        ("batch.matched_max", &[("batch.matched_max", "99")]),
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
fn figures_are_not_shown_where_callers_are_served() {
    let same = of(&[("metrics.listen", "127.0.0.1:7"), ("listen", "127.0.0.1:7")]);
    let error = same.unwrap_err();
    assert_eq!(error.mistakes()[0].key, "metrics.listen");
}

//! One small service's keys, given by every source.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use super::*;
use crate::sqlite::Synchronous;
use crate::time::Span;

#[derive(Clone, Debug, PartialEq)]
struct Options {
    listen: SocketAddr,
    metrics: Option<SocketAddr>,
    password: String,
    synchronous: Synchronous,
    polite: bool,
    limits: Limits,
    plans: BTreeMap<String, u32>,
}

#[derive(Clone, Debug, PartialEq)]
struct Limits {
    cap: u32,
    window: Span,
    wait: Duration,
}

fn options() -> Options {
    Options {
        listen: "127.0.0.1:1".parse().unwrap(),
        metrics: None,
        password: "secret-by-default".to_owned(),
        synchronous: Synchronous::Full,
        polite: true,
        limits: Limits {
            cap: 100,
            window: Span::days(7),
            wait: Duration::from_millis(50),
        },
        plans: BTreeMap::new(),
    }
}

fn limits() -> Vec<Key<Limits>> {
    vec![
        Key::count(
            "limits.cap",
            "greetings",
            0..=1_000,
            |l: &mut Limits| &mut l.cap,
            "greetings a day",
        ),
        Key::span(
            "limits.window_days",
            Unit::Days,
            1..=30,
            |l: &mut Limits| &mut l.window,
            "a window",
        ),
        Key::span(
            "limits.wait_millis",
            Unit::Millis,
            0..=500,
            |l: &mut Limits| &mut l.wait,
            "a wait",
        ),
    ]
}

fn schema() -> Schema<Options> {
    let keys = vec![
        Key::text(
            "listen",
            ADDRESS,
            |o: &mut Options| &mut o.listen,
            "an address",
        ),
        Key::optional(
            "metrics.listen",
            ADDRESS,
            |o: &mut Options| &mut o.metrics,
            "another",
        ),
        Key::text(
            "password",
            TEXT,
            |o: &mut Options| &mut o.password,
            "a password",
        )
        .secret(),
        Key::text(
            "sync",
            Synchronous::form(),
            |o: &mut Options| &mut o.synchronous,
            "a choice",
        ),
        Key::flag("polite", |o: &mut Options| &mut o.polite, "manners"),
    ];
    Schema::new("greeter", options())
        .section("Greeting", keys)
        .part("Limits", limits(), |o: &mut Options| &mut o.limits)
        .table(Table {
            path: "plans",
            meaning: "A plan",
            enter: |o, name| {
                o.plans.entry(name.to_owned()).or_insert(o.limits.cap);
            },
            keys: |name| {
                let own = name.to_owned();
                vec![Key::count(
                    format!("plans.{name}.cap"),
                    "greetings",
                    0..=1_000,
                    move |o: &mut Options| o.plans.entry(own.clone()).or_default(),
                    "its cap",
                )]
            },
        })
        .preset(Preset {
            name: "shy",
            meaning: "few greetings",
            values: "polite = false\n[limits]\ncap = 3\n",
        })
        .check(|options, findings| {
            if options.limits.cap == 13 {
                findings.wrong(&["limits.cap", "polite"], "must not be 13");
            }
            if !options.polite {
                findings.risky(&["polite"], "people mind");
            }
        })
}

/// What is given: variables, flags, and the text of a file.
#[derive(Default)]
struct Case<'a> {
    file: Option<&'a str>,
    variables: &'a [(&'a str, &'a str)],
    flags: &'a [(&'a str, &'a str)],
}

impl Case<'_> {
    fn load(&self) -> Result<Loaded<Options>, ConfigError> {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("greeter.toml");
        let owned = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            let owned = pairs
                .iter()
                .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
            owned.collect()
        };
        let file = self.file.map(|text| {
            std::fs::write(&path, text).unwrap();
            path.clone()
        });
        let given = Given {
            environment: owned(self.variables)
                .into_iter()
                .map(|(name, text)| (name, Some(text)))
                .collect(),
            flags: owned(self.flags),
            file,
        };
        schema().load(&given)
    }

    /// What is told, each with the file's folder left out.
    fn mistakes(&self) -> Vec<String> {
        let told = self.load().unwrap_err();
        let short = |text: &Mistake| {
            let text = text.to_string();
            let from = text.find("(/").map(|at| at + 1);
            let to = text.find("greeter.toml");
            match (from, to) {
                (Some(from), Some(to)) if from < to => format!("{}{}", &text[..from], &text[to..]),
                _ => text,
            }
        };
        told.mistakes().iter().map(short).collect()
    }
}

fn source<'a>(loaded: &'a Loaded<Options>, path: &str) -> &'a Source {
    let found = loaded.entries.iter().find(|entry| entry.path == path);
    &found.unwrap().source
}

#[test]
fn names_follow_from_the_path() {
    assert_eq!(variable("limits.weekly_cap"), "ACQUAINT_LIMITS_WEEKLY_CAP");
    assert_eq!(flag("limits.weekly_cap"), "limits-weekly-cap");
    assert_eq!(
        variable("plans.sales-team.cap"),
        "ACQUAINT_PLANS_SALES_TEAM_CAP"
    );
    assert_eq!(variable(PRESET), "ACQUAINT_PRESET");
}

#[test]
fn without_anything_given_the_defaults_hold() {
    let loaded = Case::default().load().unwrap();
    assert_eq!(loaded.config, options());
    assert_eq!(
        (loaded.warnings, loaded.unknown_variables),
        (vec![], vec![])
    );
    assert!(
        loaded
            .entries
            .iter()
            .all(|entry| entry.source == Source::Default)
    );
}

#[test]
fn every_kind_of_key_is_read_from_every_source() {
    let expected = Options {
        listen: "[::1]:7".parse().unwrap(),
        metrics: Some("0.0.0.0:8".parse().unwrap()),
        password: "p".to_owned(),
        synchronous: Synchronous::Normal,
        polite: true,
        limits: Limits {
            cap: 0,
            window: Span::days(30),
            wait: Duration::from_millis(1),
        },
        plans: BTreeMap::from([("gold".to_owned(), 5)]),
    };
    let file = "listen = '[::1]:7'\npassword = 'p'\nsync = 'normal'\npolite = true\nmetrics.listen = '0.0.0.0:8'\n\
                [limits]\ncap = 0\nwindow_days = 30\nwait_millis = 1\n[plans.gold]\ncap = 5";
    let from_file = Case {
        file: Some(file),
        ..Case::default()
    };
    assert_eq!(from_file.load().unwrap().config, expected);

    let plain = [
        ("listen", "[::1]:7"),
        ("metrics.listen", "0.0.0.0:8"),
        ("password", "p"),
        ("sync", "normal"),
        ("polite", "true"),
        ("limits.cap", "0"),
        ("limits.window_days", "30"),
        ("limits.wait_millis", "1"),
    ];
    let plan = [("plans.gold.cap", "5")];
    let names: Vec<(String, &str)> = plain
        .iter()
        .chain(&plan)
        .map(|(path, text)| (variable(path), *text))
        .collect();
    let variables: Vec<(&str, &str)> = names
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    let from_environment = Case {
        variables: &variables,
        ..Case::default()
    };
    assert_eq!(from_environment.load().unwrap().config, expected);

    let from_flags = Case {
        flags: &plain,
        variables: &[("ACQUAINT_PLANS_GOLD_CAP", "5")],
        ..Case::default()
    };
    assert_eq!(from_flags.load().unwrap().config, expected);
}

#[test]
fn the_stronger_source_wins() {
    let file = Some("preset = 'shy'\n[limits]\ncap = 4");
    let variables = &[("ACQUAINT_LIMITS_CAP", "5")][..];
    let flags = &[("limits.cap", "6")][..];
    let cap = |case: &Case| {
        let loaded = case.load().unwrap();
        (
            loaded.config.limits.cap,
            source(&loaded, "limits.cap").to_string(),
        )
    };
    let shy = Case {
        file: Some("preset = 'shy'"),
        ..Case::default()
    };
    assert_eq!(cap(&shy), (3, "preset shy".to_owned()));
    let (value, told) = cap(&Case {
        file,
        ..Case::default()
    });
    assert_eq!(value, 4);
    assert!(told.ends_with("greeter.toml"), "{told}");
    let all_but_flags = Case {
        file,
        variables,
        ..Case::default()
    };
    assert_eq!(cap(&all_but_flags), (5, "ACQUAINT_LIMITS_CAP".to_owned()));
    let all = Case {
        file,
        variables,
        flags,
    };
    assert_eq!(cap(&all), (6, "--limits-cap".to_owned()));
}

#[test]
fn the_preset_is_asked_for_by_the_strongest_source() {
    let file = Some("preset = 'shy'");
    let variables = &[("ACQUAINT_PRESET", "default")][..];
    let flags = &[("preset", "shy")][..];
    let polite = |case: &Case| case.load().unwrap().config.polite;
    assert!(!polite(&Case {
        file,
        ..Case::default()
    }));
    assert!(polite(&Case {
        file,
        variables,
        ..Case::default()
    }));
    assert!(!polite(&Case {
        file,
        variables,
        flags
    }));
}

#[test]
fn every_mistake_is_told_at_once_with_its_key_source_and_rule() {
    let case = Case {
        file: Some(
            "listen = 7\nlimit.cap = 3\npolite = 'yes'\nempty = {}\n[limits]\ncap = -1\nwindow_days = 31\n[plans.Gold]\ncap = 1\n\
             [plans.gold]\ncup = 1",
        ),
        variables: &[
            ("ACQUAINT_LIMITS_CAP", "many"),
            ("ACQUAINT_SYNC", "off"),
            ("ACQUAINT_PASSWORD", ""),
            ("ACQUAINT_PLANS_GOLD_CAP", "1001"),
        ],
        flags: &[("limits.wait_millis", "501"), ("preset", "bold")],
    };
    let expected = [
        "preset (--preset): must be default or shy, not \"bold\"",
        "listen (greeter.toml): must be a text in quotes, not 7",
        "password (ACQUAINT_PASSWORD): must not be empty",
        "sync (ACQUAINT_SYNC): must be full or normal, not \"off\"",
        "polite (greeter.toml): must be true or false, not \"yes\"",
        "limits.cap (greeter.toml): must be a whole number from 0 to 1000, not -1",
        "limits.cap (ACQUAINT_LIMITS_CAP): must be a whole number from 0 to 1000, not \"many\"",
        "limits.window_days (greeter.toml): must be a whole number from 1 to 30, not 31",
        "limits.wait_millis (--limits-wait-millis): must be a whole number from 0 to 500, not 501",
        "plans.Gold (greeter.toml): must be named with 1 to 32 small letters and digits, a letter first, with single hyphens between them",
        "plans.gold.cap (ACQUAINT_PLANS_GOLD_CAP): must be a whole number from 0 to 1000, not 1001",
        "empty (greeter.toml): is not a key of greeter",
        "limit.cap (greeter.toml): is not a key of greeter; limits.cap is one, if that is meant",
        "plans.gold.cup (greeter.toml): is not a key of greeter; plans.gold.cap is one, if that is meant",
    ];
    assert_eq!(case.mistakes(), expected);
}

#[test]
fn a_file_that_cannot_be_read_or_parsed_is_a_mistake() {
    let given = Given {
        environment: vec![(FILE_VARIABLE.to_owned(), Some("/nowhere/x.toml".to_owned()))],
        ..Given::default()
    };
    let told = schema().load(&given).unwrap_err().to_string();
    assert!(
        told.contains("(ACQUAINT_CONFIG_FILE): cannot read /nowhere/x.toml"),
        "{told}"
    );

    let case = Case {
        file: Some("listen = "),
        variables: &[("ACQUAINT_SYNC", "off")],
        ..Case::default()
    };
    let told = case.mistakes();
    assert!(
        told[0].starts_with("the file (greeter.toml): TOML parse error at line 1"),
        "{told:?}"
    );
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_secret_is_never_told() {
    let case = Case {
        file: Some("password = 7"),
        ..Case::default()
    };
    assert_eq!(
        case.mistakes(),
        ["password (greeter.toml): must be a text in quotes"]
    );
    let loaded = Case::default().load().unwrap();
    let printed = loaded.to_toml();
    assert!(
        printed.contains("# password is not shown # default\n"),
        "{printed}"
    );
    assert!(
        !printed.contains("secret-by-default")
            && !schema().reference().contains("secret-by-default")
    );
}

#[test]
fn what_does_not_fit_together_is_told_once_every_value_can_be_read() {
    let together = Case {
        variables: &[("ACQUAINT_LIMITS_CAP", "13")],
        ..Case::default()
    };
    assert_eq!(
        together.mistakes(),
        ["limits.cap (ACQUAINT_LIMITS_CAP): must not be 13"]
    );
    // Of a value that was refused the check would see the default.
    let refused = [("ACQUAINT_LIMITS_CAP", "13"), ("ACQUAINT_POLITE", "no")];
    let refused = Case {
        variables: &refused,
        ..Case::default()
    };
    assert_eq!(
        refused.mistakes(),
        ["polite (ACQUAINT_POLITE): must be true or false, not \"no\""]
    );
    let risky = Case {
        flags: &[("polite", "false")],
        ..Case::default()
    };
    let told: Vec<_> = risky
        .load()
        .unwrap()
        .warnings
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(told, ["polite (--polite): people mind"]);
}

#[test]
fn a_misspelt_variable_is_warned_of_and_anothers_is_left_alone() {
    let variables = [
        ("ACQUAINT_LIMITS_CUP", "1"),
        ("ACQUAINT_FACTS_KEPT_DAYS", "7"),
        ("ACQUAINT_CONFIG_FILE", ""),
    ];
    let loaded = Case {
        variables: &variables,
        ..Case::default()
    }
    .load()
    .unwrap();
    assert_eq!(loaded.config, options());
    let told: Vec<_> = loaded.warnings.iter().map(ToString::to_string).collect();
    let warning = "ACQUAINT_LIMITS_CUP (ACQUAINT_LIMITS_CUP): is not a key of greeter, and is left alone; ACQUAINT_LIMITS_CAP is one, if that \
                   is meant";
    assert_eq!(told, [warning]);
    assert_eq!(loaded.unknown_variables, ["ACQUAINT_FACTS_KEPT_DAYS"]);
}

mod shown;

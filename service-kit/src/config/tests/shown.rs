//! What is shown of the keys: as a file, as documentation, as the texts of values.

use std::path::PathBuf;

use super::*;

#[test]
fn a_set_begins_with_the_values_outside() {
    let file = "[limits]\ncap = 7\n[plans.basic]\n[plans.sales-team]\ncap = 9";
    let variables = &[("ACQUAINT_PLANS_SALES_TEAM_CAP", "10")];
    let loaded = Case {
        file: Some(file),
        variables,
        ..Case::default()
    }
    .load()
    .unwrap();
    let expected = [("basic", 7), ("sales-team", 10)].map(|(name, cap)| (name.to_owned(), cap));
    assert_eq!(loaded.config.plans, BTreeMap::from(expected));
}

#[test]
fn what_is_printed_gives_the_same_configuration() {
    let case = Case {
        file: Some("preset = 'shy'\nmetrics.listen = '0.0.0.0:8'\n[plans.gold]"),
        variables: &[("ACQUAINT_LIMITS_CAP", "5")],
        flags: &[("sync", "normal")],
    };
    let loaded = case.load().unwrap();
    let printed = loaded.to_toml();
    let again = Case {
        file: Some(&printed),
        ..Case::default()
    }
    .load()
    .unwrap();
    assert_eq!(again.config, loaded.config);
    for line in [
        "sync = \"normal\" # --sync",
        "\n[limits]\ncap = 5 # ACQUAINT_LIMITS_CAP\nwindow_days = 7 # default\n",
        "polite = false # preset shy",
    ] {
        assert!(printed.contains(line), "{line} in:\n{printed}");
    }
}

#[test]
fn the_documentation_has_every_key() {
    let text = schema().reference();
    for line in [
        "| `limits.cap` | `ACQUAINT_LIMITS_CAP` | greetings a day | greetings | `100` | 0 to 1000 |",
        "| `limits.window_days` | `ACQUAINT_LIMITS_WINDOW_DAYS` | a window | days | `7` | 1 to 30 |",
        "| `sync` | `ACQUAINT_SYNC` | a choice |  | `\"full\"` | `full \\| normal` |",
        "| `metrics.listen` | `ACQUAINT_METRICS_LISTEN` | another |  | `\"\"` | `ADDRESS:PORT` |",
        "| `plans.NAME.cap` | `ACQUAINT_PLANS_NAME_CAP` | its cap | greetings | the key outside | 0 to 1000 |",
        "- `shy`: few greetings. It sets `limits.cap = 3`, `polite = false`.",
    ] {
        assert!(text.contains(line), "{line} in:\n{text}");
    }
}

#[test]
fn a_path_names_the_store_by_its_url() {
    for (text, path) in [("sqlite:x.db", "x.db"), ("sqlite:/a/b.db", "/a/b.db")] {
        assert_eq!((DATABASE.parse)(text), Ok(PathBuf::from(path)));
        assert_eq!((DATABASE.show)(&PathBuf::from(path)), text);
    }
    assert!((DATABASE.parse)("mysql:x").is_err());
    assert_eq!((HTTP_URL.parse)("http://h:1"), Ok("http://h:1".to_owned()));
    for wrong in ["h:1", "http://h", "https://h:1", ""] {
        assert!((HTTP_URL.parse)(wrong).is_err(), "{wrong}");
    }
    assert_eq!((PATH.parse)("a/b"), Ok(PathBuf::from("a/b")));
    assert!((PATH.parse)("").is_err());
}

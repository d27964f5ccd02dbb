//! The page on operations, the dashboard and the alarms name all figures that there are, and no others.

use std::{collections::BTreeSet, fs, path::PathBuf};

use acquaint_tests::{scrape::scrape, wait::eventually};
use serde_json::Value;

use super::figures::{life, shown};

fn file(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let path = root.join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The figures that `page` shows, by the names that queries use, without the suffixes of histograms.
fn shown_in(page: &str) -> impl Iterator<Item = String> {
    page.lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .map(|line| match line.split_once(' ').unwrap() {
            (name, "counter") => format!("{name}_total"),
            (name, "info") => format!("{name}_info"),
            (name, _) => name.to_owned(),
        })
}

/// The figures that a text names.
fn named_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let own = |word: &&str| word.starts_with("acquaint_") || word.starts_with("process_");
    let plain = |word: &str| {
        let histogram = ["_bucket", "_count", "_sum"];
        let suffix = histogram
            .iter()
            .find_map(|suffix| word.strip_suffix(suffix));
        suffix.unwrap_or(word).to_owned()
    };
    words.filter(own).map(plain).collect()
}

/// A page without its blocks of commands, which may name a database.
fn without_commands(page: &str) -> String {
    let parts = page.split("```").step_by(2);
    parts.collect()
}

/// All figures of both services.
async fn all_shown() -> BTreeSet<String> {
    let (pair, invitation, connection) = shown().await;
    life(&pair).await;
    let shown = eventually("workers have done something", || async {
        let (one, other) = (scrape(invitation).await, scrape(connection).await);
        let both = [&one, &other];
        let worked = both.iter().all(|page| page.contains("worker_done_total{"));
        worked.then(|| both.into_iter().flat_map(|page| shown_in(page)).collect())
    })
    .await;
    pair.stop().await;
    shown
}

/// Every value of the key `expr`, wherever it stands.
fn expressions(value: &Value) -> Vec<String> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("expr", Value::String(text)) => vec![text.clone()],
                _ => expressions(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

/// The expressions of the alarms: what stands after `expr:`, on its line or on the indented ones below.
fn alarms() -> Vec<String> {
    let text = file("deploy/prometheus/alerts.yml");
    let rules = text.split("- alert: ").skip(1);
    let found = rules.map(|rule| {
        let (_, rest) = rule.split_once("expr:").unwrap();
        let end = ["\n        for:", "\n        annotations:"];
        let end = end.iter().filter_map(|end| rest.find(end)).min();
        rest[..end.unwrap()]
            .trim_start()
            .trim_start_matches('>')
            .trim()
            .to_owned()
    });
    found.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_is_explained_and_on_the_dashboard() {
    let shown = all_shown().await;
    assert!(shown.len() > 35, "{shown:?}");
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana/acquaint.json")).unwrap();
    let dashboard = expressions(&dashboard).join("\n");
    for (place, named) in [
        (
            "docs/operations.md",
            named_in(&without_commands(&file("docs/operations.md"))),
        ),
        ("the dashboard", named_in(&dashboard)),
    ] {
        let missing: Vec<_> = shown.difference(&named).collect();
        assert!(missing.is_empty(), "not in {place}: {missing:?}");
        let unknown: Vec<_> = named.difference(&shown).collect();
        assert!(unknown.is_empty(), "only in {place}: {unknown:?}");
    }
    let unknown: Vec<_> = alarms()
        .iter()
        .flat_map(|alarm| named_in(alarm))
        .filter(|name| !shown.contains(name))
        .collect();
    assert!(unknown.is_empty(), "only in the alarms: {unknown:?}");
}

#[test]
fn every_expression_is_of_figures_alone() {
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana/acquaint.json")).unwrap();
    let of_dashboard = expressions(&dashboard);
    assert!(of_dashboard.len() > 40 && alarms().len() == 14);
    for expression in of_dashboard.iter().chain(&alarms()) {
        let known = expression
            .replace("$__rate_interval", "1m")
            .replace("$component", ".*");
        assert!(!known.contains('$'), "{expression}");
        for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
            let count = |sign| known.matches(sign).count();
            assert_eq!(count(open), count(close), "{expression}");
        }
        // `up` is Prometheus's own.
        let named = !named_in(&known).is_empty() || known.starts_with("up{");
        assert!(named, "{expression}");
    }
}

#[test]
fn the_dashboard_has_what_grafana_asks_for() {
    let dashboard: Value = serde_json::from_str(&file("deploy/grafana/acquaint.json")).unwrap();
    assert_eq!(dashboard["uid"], "acquaint");
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let variables: Vec<_> = variables
        .iter()
        .map(|v| v["name"].as_str().unwrap())
        .collect();
    assert_eq!(variables, ["datasource", "component"]);
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    let mut taken = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "{panel}");
        assert!(!panel["title"].as_str().unwrap().is_empty());
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(at("w") >= 1 && at("x") + at("w") <= 24, "{panel}");
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                assert!(taken.insert((x, y)), "panels overlap: {panel}");
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        let references: BTreeSet<_> = targets
            .iter()
            .map(|t| t["refId"].as_str().unwrap())
            .collect();
        assert!(
            !targets.is_empty() && references.len() == targets.len(),
            "{panel}"
        );
    }
}

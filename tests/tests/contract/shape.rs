//! What the sources must look like for the rest to be true: rules that know nothing of the world, and files that can be read.
//!
//! Deliberately absent: comments of the contract, which buf checks, and style, which clippy and rustfmt check.

use std::path::{Path, PathBuf};

use crate::contract;

/// The longest file.
const LINES_MAX: usize = 500;

/// What a rule must not know, and why it would.
const FORBIDDEN: [(&str, &str); 16] = [
    ("tonic", "the wire"),
    ("prost", "the wire"),
    ("acquaint_proto", "the wire"),
    ("rusqlite", "the store"),
    ("redis", "the limiter"),
    ("tokio", "tasks"),
    ("std::time", "the clock"),
    ("SystemTime", "the clock"),
    ("Instant", "the clock"),
    ("service_kit::clock", "the clock"),
    ("rand", "randomness"),
    ("getrandom", "randomness"),
    ("Uuid::new_", "ids made here"),
    ("Uuid::now_", "ids made here"),
    ("std::env", "the process"),
    ("std::fs", "the process"),
];

/// The other rooms of a service.
const ROOMS: [&str; 7] = [
    "store",
    "grpc",
    "usecase",
    "worker",
    "limiter",
    "connections",
    "config",
];

/// How statements begin.
const SQL: [&str; 5] = [
    "select ",
    "insert into ",
    "insert or ",
    "delete from ",
    "update ",
];

#[test]
fn rules_import_nothing_but_rules() {
    let mut found = Vec::new();
    for service in ["invitation-service", "connection-service"] {
        let rules = sources(&contract::root().join(service).join("src/domain"), &["rs"]);
        assert!(rules.len() > 5, "{service} has rules");
        for file in rules {
            let text = std::fs::read_to_string(&file).unwrap();
            for (line, why) in outside(&text) {
                found.push(format!("{}:{line}: {why}", file.display()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "rules that know too much:\n{}",
        found.join("\n")
    );
}

#[test]
fn what_a_rule_must_not_know_is_noticed() {
    for (line, text) in [
        (1, "use std::time::Duration;"),
        (2, "//! Text.\nuse tokio::sync::mpsc;"),
        (1, "use crate::store::Rows;"),
        (1, "use crate::{config, domain::pair};"),
        (
            3,
            "use crate::{\n    domain::pair::Pair,\n    store::{rows, feed},\n};",
        ),
        (1, "use super::super::grpc;"),
        (1, "let id = Uuid::now_v7();"),
        (1, "    conn.execute(\"select 1\")"),
        (1, "let now = SystemTime::now();"),
    ] {
        let lines: Vec<_> = outside(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [line], "{text}");
    }
    for text in [
        "//! Not of `tokio`, nor `crate::store`.\nuse service_kit::time::Time;",
        "use crate::domain::{facts::store_of, pair::Pair};\nlet instants = operands;",
        "use super::pair;\n// An Instant is never asked for.",
        "use crate::{domain::{connections::list, pair}};",
    ] {
        assert_eq!(outside(text), [], "{text}");
    }
}

#[test]
fn no_file_is_longer_than_can_be_read() {
    let mut found = Vec::new();
    for folder in [
        "proto",
        "service-kit",
        "invitation-service",
        "connection-service",
        "tests",
        "bench",
    ] {
        for file in sources(&contract::root().join(folder), &["rs", "proto"]) {
            let lines = std::fs::read_to_string(&file).unwrap().lines().count();
            if lines > LINES_MAX {
                found.push(format!("{}: {lines} lines", file.display()));
            }
        }
    }
    assert!(
        found.is_empty(),
        "longer than {LINES_MAX} lines:\n{}",
        found.join("\n")
    );
}

/// Every file below `folder` with one of these endings.
fn sources(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                found.extend(sources(&path, endings));
            }
        } else if path
            .extension()
            .is_some_and(|end| endings.iter().any(|known| end == *known))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The lines of a rule that name something outside of the rules, and what it is.
fn outside(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // Whether a group of imports from the crate is open, and how deep.
    let mut group = 0_usize;
    for (number, line) in (1..).zip(text.lines()) {
        let code = line.split("//").next().unwrap_or_default();
        for (word, what) in FORBIDDEN {
            if names(code, word) {
                found.push((number, format!("{word} is {what}")));
            }
        }
        for room in ROOMS {
            let direct = [format!("crate::{room}"), format!("super::super::{room}")];
            let within = in_group(code, room, group);
            if within || direct.iter().any(|path| names(code, path)) {
                found.push((number, format!("{room} is another room")));
            }
        }
        if SQL
            .iter()
            .any(|statement| code.contains(&format!("\"{statement}")))
        {
            found.push((number, "a statement of the store".to_owned()));
        }
        group = after(code, group);
    }
    found
}

/// Whether `code` has `word` where no other word goes on before it.
fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back().is_none_or(|c| !part(c));
        let next = code[at + word.len()..].chars().next();
        before && (word.ends_with('_') || next.is_none_or(|c| !part(c)))
    })
}

/// Whether `room` is named at the first level of a group `use crate::{…}` that is open with `depth`, or opens in this line.
fn in_group(code: &str, room: &str, depth: usize) -> bool {
    let (mut depth, mut rest) = (depth, code);
    if depth == 0 {
        let Some((_, opened)) = code.split_once("crate::{") else {
            return false;
        };
        (depth, rest) = (1, opened);
    }
    let mut word = String::new();
    let mut path = false;
    for c in rest.chars().chain([',']) {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if c.is_alphanumeric() || c == '_' => {
                word.push(c);
                continue;
            }
            _ => {}
        }
        if depth <= 1 && !path && word == room {
            return true;
        }
        path = match c {
            ':' => true,
            ',' | '{' | '}' => false,
            _ => path,
        };
        word.clear();
    }
    false
}

/// How deep a group of imports from the crate is open after this line.
fn after(code: &str, depth: usize) -> usize {
    let rest = match (depth, code.split_once("crate::")) {
        (0, None) => return 0,
        (0, Some((_, rest))) if !rest.starts_with('{') => return 0,
        (0, Some((_, rest))) => rest,
        _ => code,
    };
    rest.chars().fold(depth, |depth, c| match c {
        '{' => depth + 1,
        '}' => depth.saturating_sub(1),
        _ => depth,
    })
}

//! The recount of labels and notes: everything that follows from what is noted, compared with it.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::recount::lines;

type Key = (String, i64, String);

/// Checks everything that follows from what is noted, and that it hangs on a connection.
pub(crate) fn check(conn: &Connection) {
    let mut given: BTreeSet<(String, i64, i64, String)> = BTreeSet::new();
    let mut annotations: BTreeMap<String, i64> = BTreeMap::new();
    let connections: BTreeSet<Key> =
        lines(conn, "select member, connect_time, other from connection")
            .into_iter()
            .collect();
    let mut statement = conn
        .prepare("select member, connect_time, other, labels from annotation")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((
            (row.get(0)?, row.get(1)?, row.get(2)?),
            row.get::<_, Vec<u8>>(3)?,
        ))
    });
    for row in rows.unwrap() {
        let (key, bytes): (Key, _) = row.unwrap();
        assert!(connections.contains(&key), "{key:?} is no connection");
        let numbers: Vec<_> = bytes
            .chunks(4)
            .map(|four| i64::from(u32::from_be_bytes(four.try_into().unwrap())))
            .collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{key:?} {numbers:?}");
        let (member, time, other) = key;
        *annotations.entry(member.clone()).or_default() += 1;
        let each = numbers.into_iter();
        given.extend(each.map(|number| (member.clone(), number, time, other.clone())));
    }
    let mut statement = conn
        .prepare("select member, label, connect_time, other from labelled")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    });
    let listed: BTreeSet<_> = rows.unwrap().map(Result::unwrap).collect();
    assert_eq!(given, listed);
    let count = |member: &str, label: i64| {
        let of = |given: &&(String, i64, i64, String)| given.0 == member && given.1 == label;
        i64::try_from(given.iter().filter(of).count()).unwrap()
    };
    let triples = |sql: &str| lines_of_counts(conn, sql);
    let mut labels: BTreeMap<String, i64> = BTreeMap::new();
    let mut known: BTreeSet<(String, i64)> = BTreeSet::new();
    for (member, number, connections) in triples("select member, id, connections from label") {
        assert_eq!(connections, count(&member, number), "{member} {number}");
        *labels.entry(member.clone()).or_default() += 1;
        known.insert((member, number));
    }
    for (member, number, _) in triples("select member, id, 0 from dropped_label") {
        assert!(known.insert((member, number)), "deleted and there");
    }
    for (member, number, ..) in &given {
        let key = (member.clone(), *number);
        assert!(known.contains(&key), "{key:?} is no label");
    }
    for (member, counted, last) in triples("select member, labels, last_label from notebook") {
        assert_eq!(
            counted,
            labels.remove(&member).unwrap_or_default(),
            "{member}"
        );
        let highest = known.iter().filter(|(of, _)| *of == member);
        assert!(highest.map(|(_, number)| *number).max() <= Some(last).max(Some(0)));
    }
    assert!(labels.is_empty(), "labels without a notebook: {labels:?}");
    for (member, counted, _) in triples("select member, annotations, 0 from notebook") {
        assert_eq!(
            counted,
            annotations.remove(&member).unwrap_or_default(),
            "{member}"
        );
    }
    assert!(
        annotations.is_empty(),
        "without a notebook: {annotations:?}"
    );
}

fn lines_of_counts(conn: &Connection, sql: &str) -> Vec<(String, i64, i64)> {
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

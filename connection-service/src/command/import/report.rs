//! What became of the rows of all calls, as text.
//!
//! Deliberately absent: ids. A row is named by its number in the file, the header not counted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use acquaint_proto::connection::v1::{ImportConnectionsResponse, ImportRefusalReason};

use crate::domain::import::EXAMPLES_MAX;

/// What became of all rows so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Total {
    rows: i64,
    created: i64,
    existing: i64,
    /// By reason: how many, and the first of them.
    refused: BTreeMap<i32, (i64, Vec<i64>)>,
}

impl Total {
    /// Adds the answer to the next call, whose rows follow on those before.
    pub(super) fn add(&mut self, answer: &ImportConnectionsResponse) {
        for refusals in &answer.refusals {
            let (count, rows) = self.refused.entry(refusals.reason).or_default();
            *count += refusals.count;
            let numbers = refusals.row_numbers.iter().map(|number| self.rows + number);
            rows.extend(numbers);
            rows.truncate(EXAMPLES_MAX);
        }
        self.rows += answer.row_count;
        self.created += answer.created_count;
        self.existing += answer.existing_count;
    }

    /// Adds the next row: refused for a reason, or created.
    pub(super) fn note(&mut self, refused: Option<ImportRefusalReason>) {
        self.rows += 1;
        let Some(reason) = refused else {
            self.created += 1;
            return;
        };
        let (count, rows) = self.refused.entry(reason.into()).or_default();
        *count += 1;
        if rows.len() < EXAMPLES_MAX {
            rows.push(self.rows);
        }
    }

    /// How many rows were refused.
    pub(super) fn refused(&self) -> i64 {
        self.refused.values().map(|(count, _)| count).sum()
    }

    /// For whoever ran it. `done`: what those are that count as created.
    pub(super) fn text(&self, done: &str) -> String {
        let existing = if self.existing > 0 {
            format!(", {} there already", self.existing)
        } else {
            String::new()
        };
        let (rows, created, refused) = (self.rows, self.created, self.refused());
        let mut text = format!("{rows} rows: {created} {done}{existing}, {refused} refused\n");
        for (reason, (count, rows)) in &self.refused {
            let numbers: Vec<_> = rows.iter().map(ToString::to_string).collect();
            let numbers = numbers.join(", ");
            let word = if *count == 1 { "row" } else { "rows" };
            let all = usize::try_from(*count).is_ok_and(|count| count <= rows.len());
            let more = if all { "" } else { ", …" };
            // Memory takes whatever is written.
            let _ = writeln!(
                text,
                "  {}: {count} ({word} {numbers}{more})",
                name(*reason)
            );
        }
        text
    }
}

/// The reason in words, after its name in the contract.
fn name(reason: i32) -> String {
    let reason = ImportRefusalReason::try_from(reason).unwrap_or_default();
    let name = reason.as_str_name().strip_prefix("IMPORT_REFUSAL_REASON_");
    name.unwrap_or_default().to_lowercase().replace('_', " ")
}

#[cfg(test)]
mod tests {
    use acquaint_proto::connection::v1::ImportRefusals;

    use super::*;

    #[test]
    fn calls_are_added_up_with_their_rows_numbered_on() {
        let answer = |row_numbers: Vec<i64>| ImportConnectionsResponse {
            row_count: 1_000,
            created_count: 500,
            existing_count: 470,
            refusals: vec![ImportRefusals {
                reason: ImportRefusalReason::ConnectionLimit.into(),
                count: 30,
                row_numbers,
            }],
        };
        let mut total = Total::default();
        total.add(&answer((1..=15).collect()));
        total.add(&answer((1..=20).collect()));
        let text = total.text("created");
        let (first, second) = text.split_once('\n').unwrap();
        assert_eq!(
            first,
            "2000 rows: 1000 created, 940 there already, 60 refused"
        );
        let begins = second.starts_with("  connection limit: 60 (rows 1, 2, 3, ");
        let ends = second.ends_with("15, 1001, 1002, 1003, 1004, 1005, …)\n");
        assert!(begins && ends, "{text}");
        assert_eq!(total.refused(), 60);
        let none = Total::default().text("created");
        assert_eq!(none, "0 rows: 0 created, 0 refused\n");
    }
}

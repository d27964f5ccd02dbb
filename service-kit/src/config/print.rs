//! The configuration in force, as a file that gives the same one.

use std::fmt::Write as _;

use super::load::Loaded;

impl<C> Loaded<C> {
    /// Valid TOML: every key with its value, and where the value came from. A secret is named in a comment, without its value.
    pub fn to_toml(&self) -> String {
        // Keys without a table stand first, or they would belong to the one before them.
        let mut tables = vec![""];
        for entry in &self.entries {
            let table = split(&entry.path).0;
            if !tables.contains(&table) {
                tables.push(table);
            }
        }
        let mut text = String::new();
        for table in tables {
            if !table.is_empty() {
                let _ = write!(text, "\n[{table}]\n");
            }
            for entry in self
                .entries
                .iter()
                .filter(|entry| split(&entry.path).0 == table)
            {
                let name = split(&entry.path).1;
                let _ = match &entry.value {
                    Some(value) => writeln!(text, "{name} = {value} # {}", entry.source),
                    None => writeln!(text, "# {name} is not shown # {}", entry.source),
                };
            }
        }
        text
    }
}

/// The table and the name of a path.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}

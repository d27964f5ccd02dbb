//! What each source gives: paths with values, whoever may know them.

use std::path::PathBuf;

use super::{ENVIRONMENT_PREFIX, FILE_VARIABLE, Source};

/// What a process was given to configure it.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Every variable that begins with [`ENVIRONMENT_PREFIX`]; `None` for a value that is not Unicode.
    pub environment: Vec<(String, Option<String>)>,
    /// Each flag that was given: the path of its key, and its text.
    pub flags: Vec<(String, String)>,
    /// The file that a flag names. Without it the environment may name one.
    pub file: Option<PathBuf>,
}

impl Given {
    /// These flags and this file, with the environment of the process.
    pub fn of_process(flags: Vec<(String, String)>, file: Option<PathBuf>) -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let ours = name.starts_with(ENVIRONMENT_PREFIX);
            ours.then(|| (name, value.into_string().ok()))
        });
        let mut environment: Vec<_> = variables.collect();
        environment.sort();
        Self {
            environment,
            flags,
            file,
        }
    }

    /// The file to read, if any, with who names it.
    pub(super) fn file(&self) -> Option<(PathBuf, Source)> {
        if let Some(path) = &self.file {
            return Some((path.clone(), Source::Flag(super::FILE_FLAG.to_owned())));
        }
        let named = self
            .environment
            .iter()
            .find(|(name, _)| name == FILE_VARIABLE)?;
        let path = named.1.as_deref().filter(|path| !path.is_empty())?;
        Some((path.into(), Source::Environment(FILE_VARIABLE.to_owned())))
    }
}

/// The values of one source by their paths, in order.
#[derive(Debug)]
pub(super) struct Layer {
    /// Each path with its value and where exactly it was given.
    pub(super) values: Vec<(String, toml::Value, Source)>,
}

impl Layer {
    /// Every value of a TOML text under its dotted path. An empty table stands under its own.
    pub(super) fn of_toml(text: &str, source: &Source) -> Result<Self, toml::de::Error> {
        let table: toml::Table = toml::from_str(text)?;
        let mut values = Vec::new();
        flatten("", toml::Value::Table(table), source, &mut values);
        Ok(Self { values })
    }

    /// The value of a path.
    pub(super) fn get(&self, path: &str) -> Option<(&toml::Value, &Source)> {
        let found = self.values.iter().find(|(own, ..)| own == path);
        found.map(|(_, value, source)| (value, source))
    }
}

fn flatten(
    path: &str,
    value: toml::Value,
    source: &Source,
    values: &mut Vec<(String, toml::Value, Source)>,
) {
    match value {
        toml::Value::Table(table) if !table.is_empty() || path.is_empty() => {
            for (name, value) in table {
                let path = if path.is_empty() {
                    name
                } else {
                    format!("{path}.{name}")
                };
                flatten(&path, value, source, values);
            }
        }
        value => values.push((path.to_owned(), value, source.clone())),
    }
}

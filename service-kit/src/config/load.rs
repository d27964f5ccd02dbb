//! From what was given to the configuration in force, with every mistake at once.

use std::collections::BTreeSet;

use super::finding::{ConfigError, Findings, Mistake, Source};
use super::key::{Key, Scalar};
use super::layer::{Given, Layer};
use super::schema::{Preset, Schema, Table};
use super::{ENVIRONMENT_PREFIX, FILE_VARIABLE, PRESET, flag, variable};

/// From how similar on (Jaro-Winkler, 0 to 1) an unknown name is taken for a misspelt one.
const MISSPELT_FROM: f64 = 0.92;

/// A value in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key's path.
    pub path: String,
    /// What the key means.
    pub meaning: &'static str,
    /// The value; `None` where it must not be shown.
    pub value: Option<Scalar>,
    /// Where it came from.
    pub source: Source,
}

/// A configuration in force.
#[derive(Clone, Debug)]
pub struct Loaded<C> {
    /// The service's options.
    pub config: C,
    /// Each value with its source, in the order of the schema; the preset first.
    pub entries: Vec<Entry>,
    /// What is legal but risky, or probably misspelt.
    pub warnings: Vec<Mistake>,
    /// Variables that the service does not know, though they look like a service's: another's, in the same environment.
    pub unknown_variables: Vec<String>,
}

impl<C> Loaded<C> {
    /// Logs the warnings, and which variables were left alone. Call it once the log is there.
    pub fn log(&self) {
        for warning in &self.warnings {
            tracing::warn!("configuration: {warning}");
        }
        if !self.unknown_variables.is_empty() {
            tracing::info!(
                "not keys of this service, so left alone: {}",
                self.unknown_variables.join(", ")
            );
        }
    }
}

impl<C: Clone + 'static> Schema<C> {
    /// The configuration that was given. Reads the file, if one is named. Fails with every mistake at once.
    pub fn load(&self, given: &Given) -> Result<Loaded<C>, ConfigError> {
        let mut loading = Loading {
            schema: self,
            config: self.defaults.clone(),
            sources: Vec::new(),
            mistakes: Vec::new(),
            warnings: Vec::new(),
            unknown_variables: Vec::new(),
        };
        loading.run(given)
    }
}

struct Loading<'s, C> {
    schema: &'s Schema<C>,
    config: C,
    /// The strongest source that filled each key, and the first that named each set of a table, by path.
    sources: Vec<(String, Source)>,
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
    unknown_variables: Vec<String>,
}

impl<C: Clone + 'static> Loading<'_, C> {
    fn run(&mut self, given: &Given) -> Result<Loaded<C>, ConfigError> {
        let file = self.file(given);
        let (preset, named) = self.preset(given, file.as_ref());
        let values = self.preset_layer(preset);
        let layers: Vec<&Layer> = [values.as_ref(), file.as_ref()]
            .into_iter()
            .flatten()
            .collect();

        let schema = self.schema;
        for key in schema.keys() {
            self.fill(key, &layers, given);
        }
        // Their defaults may be taken from the keys above, so they come after.
        let tables: Vec<Vec<Key<C>>> = schema
            .tables
            .iter()
            .flat_map(|table| self.enter(table, &layers, given))
            .collect();
        for key in tables.iter().flatten() {
            self.fill(key, &layers, given);
        }
        let keys: Vec<&Key<C>> = schema.keys().chain(tables.iter().flatten()).collect();
        if let Some(file) = &file {
            self.unknown_in_file(file, &keys);
        }
        self.unknown_in_environment(given, &keys);
        self.check();
        if !self.mistakes.is_empty() {
            return Err(ConfigError(std::mem::take(&mut self.mistakes)));
        }
        let first = Entry {
            path: PRESET.to_owned(),
            meaning: "which set of values the defaults are taken from",
            value: Some(Scalar::Text(preset.name.to_owned())),
            source: named,
        };
        let entries = keys.iter().map(|key| self.entry(key));
        Ok(Loaded {
            entries: std::iter::once(first)
                .chain(entries.collect::<Vec<_>>())
                .collect(),
            config: self.config.clone(),
            warnings: std::mem::take(&mut self.warnings),
            unknown_variables: std::mem::take(&mut self.unknown_variables),
        })
    }

    fn wrong(&mut self, key: &str, source: &Source, reason: impl Into<String>) {
        self.mistakes.push(Mistake {
            key: key.to_owned(),
            source: source.clone(),
            reason: reason.into(),
        });
    }

    /// What the file has; nothing where none is named or where it cannot be read, which is a mistake.
    fn file(&mut self, given: &Given) -> Option<Layer> {
        let (path, named) = given.file()?;
        let source = Source::File(path.clone());
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) => {
                let reason = format!("cannot read {}: {error}", path.display());
                self.wrong("the file", &named, reason);
                return None;
            }
        };
        Layer::of_toml(&text, &source)
            .map_err(|error| {
                self.wrong("the file", &source, error.to_string().trim().to_owned());
            })
            .ok()
    }

    /// The preset that is asked for, and by whom. One that is not known is a mistake.
    fn preset(&mut self, given: &Given, file: Option<&Layer>) -> (Preset, Source) {
        let mut asked: Option<(String, Source)> = None;
        if let Some((value, source)) = file.and_then(|file| file.get(PRESET)) {
            let name = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            asked = Some((name, source.clone()));
        }
        for (text, source) in [variable_of(given, PRESET), flag_of(given, PRESET)]
            .into_iter()
            .flatten()
        {
            asked = Some((text.unwrap_or_default(), source));
        }
        let (name, source) = asked.unwrap_or(("default".to_owned(), Source::Default));
        let presets = &self.schema.presets;
        if let Some(preset) = presets.iter().find(|preset| preset.name == name) {
            return (*preset, source);
        }
        let rule = format!("must be {}, not {name:?}", self.schema.preset_names());
        self.wrong(PRESET, &source, rule);
        let none = Preset {
            name: "default",
            meaning: "",
            values: "",
        };
        (none, Source::Default)
    }

    fn preset_layer(&mut self, preset: Preset) -> Option<Layer> {
        let source = Source::Preset(preset.name);
        match Layer::of_toml(preset.values, &source) {
            Ok(layer) => Some(layer),
            Err(error) => {
                self.wrong(PRESET, &source, error.to_string());
                None
            }
        }
    }

    /// Makes the sets of a table that any source names, and gives the keys of each.
    fn enter(&mut self, table: &Table<C>, layers: &[&Layer], given: &Given) -> Vec<Vec<Key<C>>> {
        let mut names = BTreeSet::new();
        let prefix = format!("{}.", table.path);
        for (path, _, source) in layers.iter().flat_map(|layer| &layer.values) {
            let Some(rest) = path.strip_prefix(&prefix) else {
                continue;
            };
            let name = rest.split_once('.').map_or(rest, |(name, _)| name);
            if Table::<C>::is_name(name) {
                if names.insert(name.to_owned()) {
                    self.sources
                        .push((format!("{prefix}{name}"), source.clone()));
                }
            } else {
                let rule = format!(
                    "must be named with 1 to {} small letters and digits, a letter first, with single hyphens between them",
                    Table::<C>::NAME_CHARS_MAX
                );
                self.wrong(&format!("{prefix}{name}"), source, rule);
            }
        }
        // A name in the environment ends where one of the keys begins, whatever the name is.
        let any = "x";
        let ends: Vec<String> = (table.keys)(any)
            .iter()
            .filter_map(|key| {
                key.path()
                    .strip_prefix(&format!("{prefix}{any}."))
                    .map(variable)
            })
            .filter_map(|name| {
                name.strip_prefix(ENVIRONMENT_PREFIX)
                    .map(|end| format!("_{end}"))
            })
            .collect();
        let begin = format!("{}_", variable(table.path));
        for (name, _) in &given.environment {
            let rest = name.strip_prefix(&begin);
            let Some(own) =
                rest.and_then(|rest| ends.iter().find_map(|end| rest.strip_suffix(end)))
            else {
                continue;
            };
            let own = own.replace('_', "-").to_ascii_lowercase();
            if Table::<C>::is_name(&own) && names.insert(own.clone()) {
                let source = Source::Environment(name.clone());
                self.sources.push((format!("{prefix}{own}"), source));
            }
        }
        names
            .iter()
            .map(|name| {
                (table.enter)(&mut self.config, name);
                (table.keys)(name)
            })
            .collect()
    }

    /// Fills a key from the weakest source to the strongest, and tells what is wrong in any of them.
    fn fill(&mut self, key: &Key<C>, layers: &[&Layer], given: &Given) {
        let path = key.path();
        let mut values: Vec<(toml::Value, Source)> = layers
            .iter()
            .filter_map(|layer| layer.get(path))
            .map(|(value, source)| (value.clone(), source.clone()))
            .collect();
        for (text, source) in [variable_of(given, path), flag_of(given, path)]
            .into_iter()
            .flatten()
        {
            match text {
                Some(text) => values.push((key.kind().read(&text), source)),
                None => self.wrong(path, &source, "must be Unicode"),
            }
        }
        for (value, source) in values {
            match key.write(&mut self.config, &value) {
                Ok(()) => {
                    self.sources.retain(|(filled, _)| filled != path);
                    self.sources.push((path.to_owned(), source));
                }
                Err(reason) => self.wrong(path, &source, reason),
            }
        }
    }

    fn unknown_in_file(&mut self, file: &Layer, keys: &[&Key<C>]) {
        let tables = &self.schema.tables;
        for (path, value, source) in &file.values {
            let beginning = format!("{path}.");
            let empty = value.as_table().is_some()
                && (keys.iter().any(|key| key.path().starts_with(&beginning))
                    || tables.iter().any(|table| table.path == path));
            // A set with a name that cannot be one has been told already.
            let told = self
                .mistakes
                .iter()
                .any(|told| path == &told.key || path.starts_with(&format!("{}.", told.key)));
            if path == PRESET || empty || told || keys.iter().any(|key| key.path() == path) {
                continue;
            }
            let known = keys.iter().map(|key| key.path());
            let hint = similar(path, known).map_or_else(String::new, |known| {
                format!("; {known} is one, if that is meant")
            });
            let rule = format!("is not a key of {}{hint}", self.schema.service);
            self.wrong(path, source, rule);
        }
    }

    /// A variable that is almost a key is a warning; any other may be another service's.
    fn unknown_in_environment(&mut self, given: &Given, keys: &[&Key<C>]) {
        let known: Vec<String> = keys
            .iter()
            .map(|key| variable(key.path()))
            .chain([FILE_VARIABLE.to_owned(), variable(PRESET)])
            .collect();
        for (name, _) in &given.environment {
            if known.contains(name) {
                continue;
            }
            match similar(name, known.iter().map(String::as_str)) {
                Some(meant) => self.warnings.push(Mistake {
                    key: name.clone(),
                    source: Source::Environment(name.clone()),
                    reason: format!(
                        "is not a key of {}, and is left alone; {meant} is one, if that is meant",
                        self.schema.service
                    ),
                }),
                None => self.unknown_variables.push(name.clone()),
            }
        }
    }

    /// The check of the whole, without what speaks of values that were refused.
    fn check(&mut self) {
        let mut findings = Findings::default();
        (self.schema.check)(&self.config, &mut findings);
        let refused: Vec<String> = self.mistakes.iter().map(|m| m.key.clone()).collect();
        let known = |(keys, reason): (Vec<String>, String)| {
            if keys.iter().any(|key| refused.contains(key)) {
                return None;
            }
            let key = keys.first()?.clone();
            let source = self.source(&key);
            Some(Mistake {
                key,
                source,
                reason,
            })
        };
        let wrong: Vec<_> = findings.wrong.into_iter().filter_map(known).collect();
        let risky: Vec<_> = findings.risky.into_iter().filter_map(known).collect();
        self.mistakes.extend(wrong);
        self.warnings.extend(risky);
    }

    fn source(&self, path: &str) -> Source {
        let found = self.sources.iter().find(|(filled, _)| filled == path);
        found.map_or(Source::Default, |(_, source)| source.clone())
    }

    fn entry(&mut self, key: &Key<C>) -> Entry {
        let value = key.show(&mut self.config);
        Entry {
            path: key.path().to_owned(),
            meaning: key.meaning(),
            value,
            source: self.source(key.path()),
        }
    }
}

fn variable_of(given: &Given, path: &str) -> Option<(Option<String>, Source)> {
    let name = variable(path);
    let found = given.environment.iter().find(|(own, _)| *own == name);
    found.map(|(_, text)| (text.clone(), Source::Environment(name.clone())))
}

fn flag_of(given: &Given, path: &str) -> Option<(Option<String>, Source)> {
    let found = given.flags.iter().find(|(own, _)| own == path);
    found.map(|(_, text)| (Some(text.clone()), Source::Flag(flag(path))))
}

/// The most similar of `known`, if it is similar enough to be what was meant.
fn similar<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let rated = known.map(|known| (strsim::jaro_winkler(name, known), known));
    rated
        .filter(|(rate, _)| *rate >= MISSPELT_FROM)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

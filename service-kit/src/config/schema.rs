//! All that a service can be told: its keys in sections, its tables, its presets, and what must fit together.

use super::finding::Findings;
use super::key::Key;

/// Keys that are explained together.
#[derive(Debug)]
pub struct Section<C> {
    /// Its heading.
    pub title: &'static str,
    /// Its keys, in the order in which they are shown.
    pub keys: Vec<Key<C>>,
}

/// Sets of keys under names that the operator chooses: `plans.premium.weekly_cap`.
#[derive(Debug)]
pub struct Table<C> {
    /// The path before the name.
    pub path: &'static str,
    /// What one of them is, in one sentence without its full stop.
    pub meaning: &'static str,
    /// Makes one under this name, with its defaults, which may be taken from the keys outside.
    pub enter: fn(&mut C, &str),
    /// The keys of the one under this name, with their whole paths.
    pub keys: fn(&str) -> Vec<Key<C>>,
}

impl<C> Table<C> {
    /// The most characters of a name.
    pub const NAME_CHARS_MAX: usize = 32;

    /// Whether `name` can be one: a small letter, then small letters, digits and single hyphens between them.
    pub fn is_name(name: &str) -> bool {
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        name.len() <= Self::NAME_CHARS_MAX
            && name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.split('-').all(part)
    }
}

/// A set of values that stand in for the defaults.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// The name that the key `preset` is given.
    pub name: &'static str,
    /// What it is for, in one sentence without its full stop.
    pub meaning: &'static str,
    /// Its values, as a file would have them.
    pub values: &'static str,
}

/// All that a service can be told.
#[derive(Debug)]
pub struct Schema<C> {
    pub(super) service: &'static str,
    pub(super) defaults: C,
    pub(super) sections: Vec<Section<C>>,
    pub(super) tables: Vec<Table<C>>,
    pub(super) presets: Vec<Preset>,
    pub(super) check: fn(&C, &mut Findings),
}

impl<C: Clone + 'static> Schema<C> {
    /// The schema of the service of this name: no keys yet, and one preset, `default`, which changes nothing.
    pub fn new(service: &'static str, defaults: C) -> Self {
        Self {
            service,
            defaults,
            sections: Vec::new(),
            tables: Vec::new(),
            presets: vec![Preset {
                name: "default",
                meaning: "the defaults as they stand",
                values: "",
            }],
            check: |_, _| (),
        }
    }

    /// With a section of keys; keys of a title that is there already join it.
    #[must_use]
    pub fn section(mut self, title: &'static str, keys: Vec<Key<C>>) -> Self {
        match self
            .sections
            .iter_mut()
            .find(|section| section.title == title)
        {
            Some(section) => section.keys.extend(keys),
            None => self.sections.push(Section { title, keys }),
        }
        self
    }

    /// With a section of the keys of a part of the options.
    #[must_use]
    pub fn part<P: 'static>(
        self,
        title: &'static str,
        keys: Vec<Key<P>>,
        part: fn(&mut C) -> &mut P,
    ) -> Self {
        let keys = keys.into_iter().map(|key| key.within(part)).collect();
        self.section(title, keys)
    }

    /// With a table of named sets.
    #[must_use]
    pub fn table(mut self, table: Table<C>) -> Self {
        self.tables.push(table);
        self
    }

    /// With a preset.
    #[must_use]
    pub fn preset(mut self, preset: Preset) -> Self {
        self.presets.push(preset);
        self
    }

    /// With the check of what must, or should, fit together.
    #[must_use]
    pub fn check(mut self, check: fn(&C, &mut Findings)) -> Self {
        self.check = check;
        self
    }
}

impl<C> Schema<C> {
    /// The service's name.
    pub const fn service(&self) -> &'static str {
        self.service
    }

    /// The options as they are when nothing is given.
    pub const fn defaults(&self) -> &C {
        &self.defaults
    }

    /// The sections, in order.
    pub fn sections(&self) -> &[Section<C>] {
        &self.sections
    }

    /// Every key that is not in a table, in order.
    pub fn keys(&self) -> impl Iterator<Item = &Key<C>> {
        self.sections.iter().flat_map(|section| &section.keys)
    }

    /// The names of the presets, as a mistake tells them.
    pub fn preset_names(&self) -> String {
        let names: Vec<_> = self.presets.iter().map(|preset| preset.name).collect();
        names.join(" or ")
    }
}

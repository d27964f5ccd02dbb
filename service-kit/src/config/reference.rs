//! The documentation of a schema, in Markdown.

use std::fmt::Write as _;

use super::finding::Source;
use super::key::{Key, Kind};
use super::layer::Layer;
use super::schema::Schema;
use super::variable;

impl<C: Clone + 'static> Schema<C> {
    /// A section of second level for the service: every key with its name in the environment, meaning, unit, default and range; its tables
    /// of named sets; its presets with what they set.
    pub fn reference(&self) -> String {
        let mut text = format!("## {}\n", self.service);
        let mut defaults = self.defaults.clone();
        for section in &self.sections {
            let _ = write!(text, "\n### {}\n\n", section.title);
            head(&mut text);
            for key in &section.keys {
                let value = key.show(&mut defaults);
                let value =
                    value.map_or_else(|| "not shown".to_owned(), |value| format!("`{value}`"));
                row(&mut text, key, &value);
            }
        }
        for table in &self.tables {
            let _ = write!(
                text,
                "\n### [{}.NAME]\n\n{}.\n\n",
                table.path, table.meaning
            );
            head(&mut text);
            for key in (table.keys)("NAME") {
                row(&mut text, &key, "the key outside");
            }
        }
        let _ = write!(text, "\n### Presets\n\n");
        for preset in &self.presets {
            let _ = write!(text, "- `{}`: {}", preset.name, preset.meaning);
            let source = Source::Preset(preset.name);
            let layer = Layer::of_toml(preset.values, &source);
            let values = layer.map_or_else(|_| Vec::new(), |layer| layer.values);
            let set: Vec<String> = values
                .iter()
                .map(|(path, value, _)| format!("`{path} = {value}`"))
                .collect();
            let end = if set.is_empty() { "." } else { ". It sets " };
            let _ = write!(text, "{end}{}", set.join(", "));
            text.push_str(if set.is_empty() { "\n" } else { ".\n" });
        }
        text
    }
}

fn head(text: &mut String) {
    text.push_str(
        "| key | variable | meaning | unit | default | range |\n|---|---|---|---|---|---|\n",
    );
}

fn row<C>(text: &mut String, key: &Key<C>, default: &str) {
    let (path, kind) = (key.path(), key.kind());
    let range = match kind {
        Kind::Count(..) | Kind::Span(..) => kind.range(),
        Kind::Flag | Kind::Text(_) => format!("`{}`", kind.range()).replace('|', "\\|"),
    };
    let _ = writeln!(
        text,
        "| `{path}` | `{}` | {} | {} | {default} | {range} |",
        variable(path),
        key.meaning(),
        kind.unit(),
    );
}

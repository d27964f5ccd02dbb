//! What holds for every key of either service, and the page that explains them.

use std::collections::BTreeSet;
use std::fmt::Debug;

use acquaint_tests::documents;
use service_kit::config::{Entry, Given, Key, Kind, Scalar, Schema, Source, Unit, variable};

use crate::contract;

#[test]
fn the_page_is_what_the_code_says() {
    let page = std::fs::read_to_string(contract::root().join("docs/configuration.md")).unwrap();
    let written = documents::configuration();
    let line = written.lines().zip(page.lines()).find(|(a, b)| a != b);
    assert!(written == page, "run make docs; differs at {line:#?}");
}

#[test]
fn every_key_is_sound() {
    sound(&invitation_service::Config::schema());
    sound(&connection_service::Config::schema());
}

#[test]
fn every_key_fills_a_place_of_its_own() {
    fills_its_own(&invitation_service::Config::schema());
    fills_its_own(&connection_service::Config::schema());
}

#[test]
fn every_preset_can_be_used_as_it_stands() {
    presets(&invitation_service::Config::schema());
    presets(&connection_service::Config::schema());
}

fn sound<C: Clone + Debug + PartialEq + 'static>(schema: &Schema<C>) {
    let mut variables = BTreeSet::new();
    for key in schema.keys() {
        let path = key.path();
        let variable = variable(path);
        assert!(variables.insert(variable.clone()), "{variable} is two keys");
        let right = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c);
        assert!(path.chars().all(right), "{path}");
        let meaning = key.meaning();
        let begins_small = meaning.starts_with(|c: char| c.is_ascii_lowercase() || c == '`');
        assert!(begins_small && !meaning.ends_with('.'), "{path}: {meaning}");
        // Whoever reads a path knows the unit of a length of time; a count cannot be taken for one.
        let ending = path.rsplit('_').next().unwrap();
        match key.kind() {
            Kind::Span(unit, _) => assert_eq!(ending, unit.word(), "{path}"),
            _ => assert!(
                ![Unit::Millis, Unit::Seconds, Unit::Hours, Unit::Days]
                    .map(Unit::word)
                    .contains(&ending),
                "{path}"
            ),
        }
        // The default is within the range, and what is shown of it gives it again.
        let mut config = schema.defaults().clone();
        let shown = key.read(&mut config);
        let written = key.write(&mut config, &toml(&shown));
        assert_eq!(written, Ok(()), "{path}");
        assert_eq!(&config, schema.defaults(), "{path} = {shown}");
    }
}

fn fills_its_own<C: Clone + Debug + PartialEq + 'static>(schema: &Schema<C>) {
    for key in schema.keys() {
        let mut config = schema.defaults().clone();
        let (before, other) = (key.read(&mut config), another(key, &mut config));
        key.write(&mut config, &toml(&other))
            .unwrap_or_else(|rule| panic!("{} {rule}", key.path()));
        assert_eq!(key.read(&mut config), other, "{}", key.path());
        assert_ne!(before, other, "{}", key.path());
        for beside in schema.keys().filter(|beside| beside.path() != key.path()) {
            let default = beside.read(&mut schema.defaults().clone());
            let (path, beside_path) = (key.path(), beside.path());
            assert_eq!(
                beside.read(&mut config),
                default,
                "{path} changes {beside_path}"
            );
        }
    }
}

fn presets<C: Clone + Debug + PartialEq + 'static>(schema: &Schema<C>) {
    for name in schema.preset_names().split(" or ") {
        let given = Given {
            flags: vec![("preset".to_owned(), name.to_owned())],
            ..Given::default()
        };
        let loaded = schema.load(&given).unwrap();
        assert_eq!(loaded.warnings, [], "{name}");
        let of_preset = |entry: &&Entry| matches!(entry.source, Source::Preset(_));
        let set = loaded.entries.iter().filter(of_preset).count();
        assert_eq!(set == 0, name == "default", "{name} sets {set}");
    }
}

/// A legal value of the key that is not its default.
fn another<C: 'static>(key: &Key<C>, config: &mut C) -> Scalar {
    let text = |text: &str| Scalar::Text(text.to_owned());
    match (key.kind(), key.read(config)) {
        (Kind::Count(_, range) | Kind::Span(_, range), Scalar::Whole(number)) => {
            let least = *range.start();
            Scalar::Whole(if number == least {
                *range.end()
            } else {
                number - 1
            })
        }
        (Kind::Flag, Scalar::Flag(flag)) => Scalar::Flag(!flag),
        (Kind::Text(shape), Scalar::Text(default)) => match *shape {
            "ADDRESS:PORT" => text("[::1]:7"),
            "sqlite:PATH" => text("sqlite:/other.db"),
            "http://HOST:PORT" | "http://HOST:PORT,HOST:PORT" => text("http://other:7"),
            "redis://HOST:PORT/DATABASE" => text("redis://other:7/1"),
            "DIRECTIVES" => text("debug"),
            "PATH" | "TEXT" => text("other"),
            choice => {
                let words = choice.split(" | ").find(|word| *word != default);
                text(words.unwrap())
            }
        },
        (kind, value) => panic!("{} is {value} for {kind:?}", key.path()),
    }
}

fn toml(value: &Scalar) -> toml::Value {
    match value {
        Scalar::Whole(number) => toml::Value::Integer(i64::try_from(*number).unwrap()),
        Scalar::Flag(flag) => toml::Value::Boolean(*flag),
        Scalar::Text(text) => toml::Value::String(text.clone()),
    }
}

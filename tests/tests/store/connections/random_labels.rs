//! Random commands on labels and notes against a naive model, with a recount after each.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::labels::{change, label, shown};
use super::*;
use connection_service::domain::annotation::LabelLimit;

over_every_engine! {
    any_sequence_is_as_on_paper,
}

#[derive(Clone, Debug)]
enum Command {
    Connect(usize, usize),
    Remove(usize, usize),
    Block(usize, usize),
    Unblock(usize, usize),
    Update {
        member: usize,
        other: usize,
        /// Which of the texts, by bit.
        labels: Option<usize>,
        note: Option<usize>,
    },
    Rename(usize, usize, usize),
    Delete(usize, usize),
    Erase(usize),
    /// One chunk of clearing away.
    Step,
    /// All of it.
    Round,
}

const NAMES: [&str; 4] = ["a", "b", "c", "d"];
const TEXTS: [&str; 4] = ["p", "q", "r", "s"];
const NOTES: [&str; 3] = ["", "one", "two\nlines"];

fn command() -> impl Strategy<Value = Command> {
    let member = || 0..NAMES.len();
    let text = || 0..TEXTS.len();
    let pair = move || {
        (member(), 1..NAMES.len()).prop_map(|(a, distance)| (a, (a + distance) % NAMES.len()))
    };
    prop_oneof![
        6 => pair().prop_map(|(a, b)| Command::Connect(a, b)),
        2 => pair().prop_map(|(a, b)| Command::Remove(a, b)),
        1 => pair().prop_map(|(a, b)| Command::Block(a, b)),
        1 => pair().prop_map(|(a, b)| Command::Unblock(a, b)),
        12 => (pair(), prop::option::of(0_usize..16), prop::option::of(0..NOTES.len()))
            .prop_map(|((member, other), labels, note)| Command::Update { member, other, labels, note }),
        3 => (member(), text(), text()).prop_map(|(a, from, to)| Command::Rename(a, from, to)),
        3 => (member(), text()).prop_map(|(a, text)| Command::Delete(a, text)),
        // The last alone, so that something stays.
        1 => Just(Command::Erase(NAMES.len() - 1)),
        2 => Just(Command::Step),
        1 => Just(Command::Round),
    ]
}

/// What one side has noted, and when the connection was made.
#[derive(Clone, Debug, Default)]
struct Noted {
    order: usize,
    labels: BTreeSet<&'static str>,
    note: &'static str,
}

/// Everything, as a caller would keep it on paper.
#[derive(Default)]
struct Model {
    labels: BTreeMap<usize, BTreeSet<&'static str>>,
    noted: BTreeMap<(usize, usize), Noted>,
    blocks: BTreeSet<(usize, usize)>,
    erased: BTreeSet<usize>,
}

impl Model {
    fn end(&mut self, a: usize, b: usize) {
        self.noted.remove(&(a, b));
        self.noted.remove(&(b, a));
    }

    fn connect(&mut self, a: usize, b: usize, order: usize) {
        let blocked = self.blocks.contains(&(a, b)) || self.blocks.contains(&(b, a));
        let erased = self.erased.contains(&a) || self.erased.contains(&b);
        if blocked || erased || self.noted.contains_key(&(a, b)) {
            return;
        }
        for key in [(a, b), (b, a)] {
            let noted = Noted {
                order,
                ..Noted::default()
            };
            self.noted.insert(key, noted);
        }
    }

    fn update(
        &mut self,
        key: (usize, usize),
        labels: Option<&BTreeSet<&'static str>>,
        note: Option<&'static str>,
        policy: &Policy,
    ) -> Result<(), Refusal> {
        if self.erased.contains(&key.0) {
            return Err(Refusal::MemberNotFound);
        }
        let noted = self.noted.get_mut(&key);
        let noted = noted.ok_or(Refusal::ConnectionNotFound)?;
        let full = |of| Err(Refusal::LabelLimitReached { of });
        if let Some(labels) = labels {
            let labels_max = policy.connection_labels_max;
            if labels.len() > labels_max as usize {
                return full(LabelLimit::Connection { labels_max });
            }
            let own = self.labels.entry(key.0).or_default();
            let all: BTreeSet<_> = own.union(labels).copied().collect();
            let labels_max = policy.member_labels_max;
            if all.len() > own.len() && all.len() > labels_max as usize {
                return full(LabelLimit::Member { labels_max });
            }
            *own = all;
            noted.labels.clone_from(labels);
        }
        noted.note = note.unwrap_or(noted.note);
        Ok(())
    }

    fn rename(&mut self, member: usize, from: &str, to: &'static str) -> Result<(), Refusal> {
        if self.erased.contains(&member) {
            return Err(Refusal::MemberNotFound);
        }
        let own = self.labels.entry(member).or_default();
        match (own.contains(from), own.contains(to)) {
            (true, true) if from == to => {}
            (true, true) => return Err(Refusal::LabelExists),
            (false, false) => return Err(Refusal::LabelNotFound),
            (false, true) => {}
            (true, false) => {
                own.remove(from);
                own.insert(to);
                for (_, noted) in self.noted.iter_mut().filter(|((of, _), _)| *of == member) {
                    if noted.labels.remove(from) {
                        noted.labels.insert(to);
                    }
                }
            }
        }
        Ok(())
    }

    fn delete(&mut self, member: usize, text: &str) -> Result<(), Refusal> {
        if self.erased.contains(&member) {
            return Err(Refusal::MemberNotFound);
        }
        self.labels.entry(member).or_default().remove(text);
        for (_, noted) in self.noted.iter_mut().filter(|((of, _), _)| *of == member) {
            noted.labels.remove(text);
        }
        Ok(())
    }

    fn erase(&mut self, member: usize) {
        for other in 0..NAMES.len() {
            self.end(member, other);
        }
        self.labels.remove(&member);
        self.blocks.retain(|(a, b)| *a != member && *b != member);
        self.erased.insert(member);
    }

    /// A member's list, or those with a label, newest first.
    fn list(&self, member: usize, of: Option<&str>) -> Vec<String> {
        let own = self.noted.iter().filter(|((owner, _), _)| *owner == member);
        let mut own: Vec<_> = own
            .filter(|(_, noted)| of.is_none_or(|of| noted.labels.contains(of)))
            .collect();
        own.sort_by_key(|(_, noted)| std::cmp::Reverse(noted.order));
        let text = |((_, other), noted): (&(usize, usize), &Noted)| {
            let labels: Vec<_> = noted.labels.iter().copied().collect();
            format!("{} [{}] {}", NAMES[*other], labels.join(" "), noted.note)
                .trim_end()
                .to_owned()
        };
        own.into_iter().map(text).collect()
    }

    fn counts(&self, member: usize) -> Vec<(String, u32)> {
        let own = self.labels.get(&member).into_iter().flatten();
        own.map(|text| {
            let count = self.list(member, Some(text)).len();
            ((*text).to_owned(), u32::try_from(count).unwrap())
        })
        .collect()
    }
}

async fn compare(f: &Fixture, model: &Model) {
    for (number, name) in NAMES.iter().enumerate() {
        assert_eq!(
            f.noted(name, None).await,
            model.list(number, None),
            "{name}"
        );
        assert_eq!(f.labels(name).await, model.counts(number), "{name}");
        for text in TEXTS {
            let listed = f.noted(name, Some(text)).await;
            assert_eq!(listed, model.list(number, Some(text)), "{name} {text}");
        }
    }
}

async fn play(engine: Engine, commands: Vec<Command>) {
    let policy = Policy {
        job_chunk: 1,
        connection_labels_max: 3,
        member_labels_max: 3,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    let mut model = Model::default();
    for (n, command) in commands.into_iter().enumerate() {
        // Each connection has a time of its own, after any removal.
        f.tick(1);
        match command {
            Command::Connect(a, b) => {
                let _ = f.ensure(n as u128, 1, NAMES[a], NAMES[b]).await;
                model.connect(a, b, n);
            }
            Command::Remove(a, b) => {
                let _ = f.remove(NAMES[a], NAMES[b]).await;
                model.end(a, b);
            }
            Command::Block(a, b) => {
                let blocked = f.block(NAMES[a], NAMES[b]).await.is_ok();
                if blocked && !model.erased.contains(&b) {
                    model.blocks.insert((a, b));
                    model.end(a, b);
                }
            }
            Command::Unblock(a, b) => {
                let _ = f.unblock(NAMES[a], NAMES[b]).await;
                model.blocks.remove(&(a, b));
            }
            Command::Update {
                member,
                other,
                labels,
                note,
            } => {
                let bits = |bits: usize| {
                    let each = TEXTS.iter().enumerate();
                    let set = each.filter(|(bit, _)| bits & (1 << bit) != 0);
                    set.map(|(_, text)| *text).collect::<BTreeSet<_>>()
                };
                let labels = labels.map(bits);
                let note = note.map(|note| NOTES[note]);
                let texts = labels
                    .as_ref()
                    .map(|labels| labels.iter().copied().collect());
                let texts: Option<Vec<&str>> = texts;
                let (name, with) = (NAMES[member], NAMES[other]);
                let found = f
                    .store
                    .update_connection(act(name, with), change(texts.as_deref(), note));
                let found = found.await.unwrap().map(|noted| shown(&noted));
                let expected = model.update((member, other), labels.as_ref(), note, &policy);
                assert_eq!(
                    found.as_ref().map(drop).map_err(|refusal| *refusal),
                    expected
                );
                if let Ok(found) = found {
                    assert!(model.list(member, None).contains(&found), "{found}");
                }
            }
            Command::Rename(a, from, to) => {
                let (from, to) = (TEXTS[from], TEXTS[to]);
                let found = f.rename(NAMES[a], from, to).await;
                let expected = model.rename(a, from, to);
                assert_eq!(
                    found.as_ref().map(drop).map_err(|refusal| *refusal),
                    expected
                );
                if let Ok(found) = found {
                    assert!(model.counts(a).contains(&found), "{found:?}");
                }
            }
            Command::Delete(a, text) => {
                let deleted = f.store.delete_label(id(NAMES[a]), label(TEXTS[text])).await;
                assert_eq!(deleted.unwrap(), model.delete(a, TEXTS[text]));
            }
            Command::Erase(a) => {
                let _ = f.store.erase_member(id(NAMES[a])).await.unwrap();
                f.check().await;
                f.round().await;
                model.erase(a);
            }
            Command::Step => drop(f.store.forget_dropped_labels().await.unwrap()),
            Command::Round => f.round().await,
        }
        f.check().await;
        compare(&f, &model).await;
    }
}

async fn any_sequence_is_as_on_paper(engine: Engine) {
    let sequence = prop::collection::vec(command(), 1..60);
    sequences::run(engine.of(96, 6), sequence, move |commands| {
        play(engine, commands)
    })
    .await;
}

//! Labels and private notes: what is shown of them and to whom, their limits, and that they end with their connection.

use super::*;
use connection_service::domain::annotation::{Change, LabelLimit, OwnLabel};
use connection_service::domain::connection_list::{Filter, ListQuery, Order};
use connection_service::domain::label::{Label, PrivateNote};
use connection_service::store::{ConnectionLine, ConnectionPage, Due, Erased, Noted};

over_every_engine! {
    what_one_side_notes_is_shown_to_that_side_alone,
    only_a_connection_is_annotated,
    labels_are_limited_for_a_connection_and_for_a_member,
    a_rename_is_one_row_and_shows_everywhere,
    a_deleted_label_is_gone_at_once_and_cleared_away_in_chunks,
    what_is_noted_ends_with_the_connection_on_both_sides,
    an_erased_member_leaves_nothing_noted,
}

pub(crate) fn label(text: &str) -> Label {
    Label::parse(text, 50).unwrap()
}

pub(crate) fn change(labels: Option<&[&str]>, note: Option<&str>) -> Change {
    Change {
        labels: labels.map(|labels| labels.iter().map(|text| label(text)).collect()),
        note: note.map(|text| PrivateNote::stored(text.to_owned())),
    }
}

pub(crate) fn with_label(text: Option<&str>) -> Filter {
    Filter {
        label: text.map(label),
        ..Filter::default()
    }
}

/// A connection with what is noted about it, as text.
pub(crate) fn shown(line: &ConnectionLine) -> String {
    let Noted { labels, note } = line.noted.as_deref().cloned().unwrap_or_default();
    let labels: Vec<_> = labels.iter().map(Label::as_str).collect();
    let (other, note) = (&line.other, note.as_str());
    format!("{other} [{}] {note}", labels.join(" "))
        .trim_end()
        .to_owned()
}

impl Fixture {
    pub(crate) async fn update(
        &self,
        member: &str,
        other: &str,
        labels: Option<&[&str]>,
        note: Option<&str>,
    ) -> Result<String, Refusal> {
        let updated = self
            .store
            .update_connection(act(member, other), change(labels, note));
        updated.await.unwrap().map(|noted| shown(&noted))
    }

    /// Gives a connection labels.
    pub(crate) async fn label(
        &self,
        member: &str,
        other: &str,
        labels: &[&str],
    ) -> Result<String, Refusal> {
        self.update(member, other, Some(labels), None).await
    }

    /// A page of what a filter takes of a member's connections.
    pub(crate) async fn filtered(
        &self,
        member: &str,
        filter: Filter,
        order: Order,
    ) -> ConnectionPage {
        let request = ListRequest {
            query: ListQuery { order, filter },
            ..ListRequest::newest(1_000)
        };
        let page = self.store.connections(id(member), request).await.unwrap();
        assert_eq!(page.total.number as usize, page.lines.len(), "{member}");
        page
    }

    /// A member's connections with what is noted about them, newest first; with a label, those that have it.
    pub(crate) async fn noted(&self, member: &str, of: Option<&str>) -> Vec<String> {
        let page = self.filtered(member, with_label(of), Order::Recent).await;
        page.lines.iter().map(shown).collect()
    }

    pub(crate) async fn labels(&self, member: &str) -> Vec<(String, u32)> {
        let labels = self.store.labels(id(member)).await.unwrap();
        labels.into_iter().map(counted).collect()
    }

    pub(crate) async fn rename(
        &self,
        member: &str,
        from: &str,
        to: &str,
    ) -> Result<(String, u32), Refusal> {
        let renamed = self.store.rename_label(id(member), label(from), label(to));
        renamed.await.unwrap().map(counted)
    }

    pub(crate) async fn delete(&self, member: &str, text: &str) -> Result<(), Refusal> {
        let deleted = self.store.delete_label(id(member), label(text)).await;
        deleted.unwrap()
    }
}

fn counted(own: OwnLabel) -> (String, u32) {
    (own.label.into_string(), own.connections)
}

fn owned(labels: &[(&str, u32)]) -> Vec<(String, u32)> {
    let labels = labels.iter();
    labels.map(|(text, n)| ((*text).to_owned(), *n)).collect()
}

async fn what_one_side_notes_is_shown_to_that_side_alone(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    f.tick(1);
    f.connect("a", "c").await;
    assert_eq!(f.noted("a", None).await, ["c []", "b []"]);
    let first = f.update("a", "b", Some(&["work", "Lyon"]), Some("met\nthere"));
    assert_eq!(first.await.unwrap(), "b [Lyon work] met\nthere");
    // Each alone leaves the other as it was; a repeat changes nothing.
    for _ in 0..2 {
        let labels = f.label("a", "b", &["work", "chess"]).await;
        assert_eq!(labels.unwrap(), "b [chess work] met\nthere");
    }
    for _ in 0..2 {
        let note = f.update("a", "b", None, Some("owes me lunch")).await;
        assert_eq!(note.unwrap(), "b [chess work] owes me lunch");
    }
    f.label("a", "c", &["work"]).await.unwrap();
    f.restart().await;
    assert_eq!(
        f.noted("a", None).await,
        ["c [work]", "b [chess work] owes me lunch"]
    );
    assert_eq!(f.noted("b", None).await, ["a []"]);
    // A label stays when no connection has it any more.
    assert_eq!(
        f.labels("a").await,
        owned(&[("Lyon", 0), ("chess", 1), ("work", 2)])
    );
    assert_eq!(f.labels("b").await, []);
    f.check().await;
    assert_eq!(
        f.update("a", "b", Some(&[]), Some("")).await.unwrap(),
        "b []"
    );
    f.label("a", "c", &[]).await.unwrap();
    assert_eq!(f.number("select count(*) from annotation").await, 0);
    f.check().await;
}

async fn only_a_connection_is_annotated(engine: Engine) {
    let f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    f.block("a", "c").await.unwrap();
    let nobody = Err(Refusal::ConnectionNotFound);
    for (member, other) in [("a", "c"), ("c", "a"), ("a", "x"), ("x", "y")] {
        assert_eq!(
            f.label(member, other, &["l"]).await,
            nobody,
            "{member} {other}"
        );
    }
    f.store.erase_member(id("b")).await.unwrap();
    assert_eq!(f.label("a", "b", &["l"]).await, nobody);
    let erased = Refusal::MemberNotFound;
    assert_eq!(f.label("b", "a", &["l"]).await, Err(erased));
    assert_eq!(f.rename("b", "l", "m").await, Err(erased));
    assert_eq!(f.delete("b", "l").await, Err(erased));
    assert_eq!(f.labels("a").await, [], "a refusal makes no label");
    f.check().await;
}

async fn labels_are_limited_for_a_connection_and_for_a_member(engine: Engine) {
    let f = Fixture::with(
        engine,
        Policy {
            connection_labels_max: 2,
            member_labels_max: 3,
            ..Policy::default()
        },
    )
    .await;
    f.connect("a", "b").await;
    f.connect("a", "c").await;
    let of = |of| Err(Refusal::LabelLimitReached { of });
    let connection = of(LabelLimit::Connection { labels_max: 2 });
    let member = of(LabelLimit::Member { labels_max: 3 });
    assert_eq!(f.label("a", "b", &["1", "2", "3"]).await, connection);
    f.label("a", "b", &["1", "2"]).await.unwrap();
    assert_eq!(f.label("a", "c", &["3", "4"]).await, member);
    assert_eq!(f.labels("a").await, owned(&[("1", 1), ("2", 1)]));
    f.label("a", "c", &["2", "3"]).await.unwrap();
    assert_eq!(f.label("a", "c", &["4"]).await, member);
    f.check().await;
    // The other side has room of its own, and whoever deletes one has room again, at once.
    f.label("b", "a", &["4"]).await.unwrap();
    f.delete("a", "1").await.unwrap();
    assert_eq!(f.label("a", "c", &["4", "2"]).await.unwrap(), "c [2 4]");
    f.check().await;
}

async fn a_rename_is_one_row_and_shows_everywhere(engine: Engine) {
    let f = Fixture::on(engine).await;
    for other in ["b", "c", "d"] {
        f.connect("a", other).await;
        f.label("a", other, &["old", other]).await.unwrap();
        f.label(other, "a", &["old"]).await.unwrap();
        f.tick(1);
    }
    let sql = "select member, label, other from labelled";
    let labelled = async || lines(&f.rows().await, sql);
    let before = labelled().await;
    for _ in 0..2 {
        let renamed = f.rename("a", "old", "new").await;
        assert_eq!(renamed, Ok(("new".to_owned(), 3)));
    }
    assert_eq!(labelled().await, before);
    assert_eq!(
        f.noted("a", None).await,
        ["d [d new]", "c [c new]", "b [b new]"]
    );
    assert_eq!(f.noted("a", Some("new")).await.len(), 3);
    assert_eq!(f.noted("a", Some("old")).await, [""; 0]);
    assert_eq!(f.noted("b", None).await, ["a [old]"]);
    assert_eq!(f.rename("a", "new", "b").await, Err(Refusal::LabelExists));
    assert_eq!(f.rename("a", "x", "y").await, Err(Refusal::LabelNotFound));
    assert_eq!(f.rename("a", "b", "b").await, Ok(("b".to_owned(), 1)));
    // The old text is free again.
    f.label("a", "b", &["old"]).await.unwrap();
    let all = owned(&[("b", 0), ("c", 1), ("d", 1), ("new", 2), ("old", 1)]);
    assert_eq!(f.labels("a").await, all);
    f.check().await;
}

async fn a_deleted_label_is_gone_at_once_and_cleared_away_in_chunks(engine: Engine) {
    let f = Fixture::with(
        engine,
        Policy {
            job_chunk: 2,
            ..Policy::default()
        },
    )
    .await;
    let others = ["b", "c", "d", "e", "f"];
    for other in others {
        f.connect("a", other).await;
        f.label("a", other, &["gone", "kept"]).await.unwrap();
        f.tick(1);
    }
    f.update("a", "f", Some(&["gone"]), Some("n"))
        .await
        .unwrap();
    f.label("a", "e", &["gone"]).await.unwrap();
    assert_eq!(f.store.due().await.unwrap(), Due::default());
    for _ in 0..2 {
        f.delete("a", "gone").await.unwrap();
    }
    f.check().await;
    let left = ["f [] n", "e []", "d [kept]", "c [kept]", "b [kept]"];
    assert_eq!(f.noted("a", None).await, left);
    assert_eq!(f.noted("a", Some("gone")).await, [""; 0]);
    assert_eq!(f.labels("a").await, owned(&[("kept", 3)]));
    assert!(f.store.due().await.unwrap().dropped_labels);
    // A new label of this text is another label.
    f.label("a", "b", &["gone"]).await.unwrap();
    assert_eq!(f.noted("a", Some("gone")).await, ["b [gone]"]);
    let sql = "select count(*) from labelled where label = 1";
    let rows = async || f.number(sql).await;
    assert_eq!(rows().await, 4, "whoever gets others lets go of it");
    assert!(f.store.forget_dropped_labels().await.unwrap());
    f.check().await;
    assert_eq!(rows().await, 2);
    f.remove("a", "e").await.unwrap();
    assert_eq!(rows().await, 1);
    f.round().await;
    f.check().await;
    assert_eq!(rows().await, 0);
    assert_eq!(f.store.due().await.unwrap(), Due::default());
    assert_eq!(
        f.noted("a", None).await,
        ["f [] n", "d [kept]", "c [kept]", "b [gone]"]
    );
}

async fn what_is_noted_ends_with_the_connection_on_both_sides(engine: Engine) {
    let f = Fixture::on(engine).await;
    for (end, other) in ["remove", "removed", "block", "blocked", "erase"]
        .iter()
        .zip(["b", "c", "d", "e", "f"])
    {
        f.connect("a", other).await;
        f.update("a", other, Some(&["l"]), Some("n")).await.unwrap();
        f.update(other, "a", Some(&["l", "m"]), None).await.unwrap();
        assert_eq!(f.labels("a").await, owned(&[("l", 1)]), "{end}");
        f.tick(1);
        match *end {
            "remove" => drop(f.remove("a", other).await.unwrap()),
            "removed" => drop(f.remove(other, "a").await.unwrap()),
            "block" => drop(f.block("a", other).await.unwrap()),
            "blocked" => drop(f.block(other, "a").await.unwrap()),
            _ => drop(f.store.erase_member(id(other)).await.unwrap()),
        }
        f.check().await;
        assert_eq!(f.labels("a").await, owned(&[("l", 0)]), "{end}");
        assert_eq!(f.noted("a", Some("l")).await, [""; 0], "{end}");
    }
    for rows in ["annotation", "labelled"] {
        let sql = format!("select count(*) from {rows}");
        assert_eq!(f.number(&sql).await, 0, "{rows}");
    }
    // A new connection begins without, and labels are still there for it.
    f.tick(1);
    f.connect("a", "b").await;
    assert_eq!(f.noted("a", None).await, ["b []"]);
    assert_eq!(f.noted("b", None).await, ["a []"]);
    assert_eq!(f.labels("b").await, owned(&[("l", 0), ("m", 0)]));
    f.check().await;
}

async fn an_erased_member_leaves_nothing_noted(engine: Engine) {
    let f = Fixture::with(
        engine,
        Policy {
            job_chunk: 2,
            ..Policy::default()
        },
    )
    .await;
    for other in ["a", "b", "c"] {
        f.connect("e", other).await;
        f.update("e", other, Some(&["x", "y", other]), Some("n"))
            .await
            .unwrap();
        f.label(other, "e", &["z"]).await.unwrap();
    }
    f.delete("e", "x").await.unwrap();
    f.store.erase_member(id("e")).await.unwrap();
    f.check().await;
    assert_eq!(f.labels("e").await, []);
    assert_eq!(f.noted("e", Some("y")).await, [""; 0]);
    f.round().await;
    f.check().await;
    for other in ["a", "b", "c"] {
        assert_eq!(f.labels(other).await, owned(&[("z", 0)]));
        assert_eq!(f.noted(other, None).await, [""; 0]);
    }
    f.store.acknowledge(f.head().await).await.unwrap();
    f.round().await;
    f.round().await;
    let done = f.store.erase_member(id("e")).await.unwrap();
    assert_eq!(done, Erased::Complete);
    assert_eq!(f.is_named("e").await, [""; 0]);
    assert_eq!(f.store.due().await.unwrap(), Due::default());
}

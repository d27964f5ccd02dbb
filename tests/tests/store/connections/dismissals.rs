//! Whom members do not want suggested.

use super::*;

over_every_engine! {
    who_is_dismissed_is_listed_newest_first,
    a_dismissal_is_kept_as_it_was_made,
    of_too_many_the_oldest_go,
    a_page_of_dismissals_begins_after_a_line,
    an_erased_member_dismisses_nobody_and_is_in_nobodys_list,
}

async fn dismiss(f: &Fixture, member: &str, other: &str) -> Result<(), Refusal> {
    let dismissed = f.store.dismiss_suggestion(act(member, other)).await;
    dismissed.unwrap()
}

/// Whom a member has dismissed, newest first.
async fn dismissed(f: &Fixture, member: &str) -> Vec<String> {
    let lines = f.store.dismissed(id(member), None, 1_000).await.unwrap();
    let mut ids = f.store.dismissals(id(member)).await.unwrap();
    ids.sort();
    let mut listed: Vec<_> = lines.iter().map(|line| line.other.clone()).collect();
    listed.sort();
    assert_eq!(ids, listed, "{member}");
    names(&lines)
}

async fn who_is_dismissed_is_listed_newest_first(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    for other in ["c", "a", "z", "b"] {
        f.tick(1);
        assert_eq!(dismiss(&f, "m", other).await, Ok(()));
    }
    // The other hears nothing of it.
    assert_eq!(dismissed(&f, "m").await, ["b", "z", "a", "c"]);
    assert_eq!(dismissed(&f, "a").await, [""; 0]);
    assert_eq!(f.head().await, 0, "the feed says nothing of it");
    f.restart().await;
    assert_eq!(dismissed(&f, "m").await, ["b", "z", "a", "c"]);
}

async fn a_dismissal_is_kept_as_it_was_made(engine: Engine) {
    let f = Fixture::on(engine).await;
    for other in ["a", "b", "a"] {
        f.tick(1);
        dismiss(&f, "m", other).await.unwrap();
    }
    let lines = f.store.dismissed(id("m"), None, 9).await.unwrap();
    let times: Vec<_> = lines.iter().map(|line| line.time.since(START)).collect();
    assert_eq!(names(&lines), ["b", "a"]);
    assert_eq!(times, [Span::millis(2), Span::millis(1)]);
}

async fn of_too_many_the_oldest_go(engine: Engine) {
    let policy = Policy {
        dismissals_max: 3,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    for other in ["a", "b", "c", "d", "e"] {
        f.tick(1);
        dismiss(&f, "m", other).await.unwrap();
        dismiss(&f, other, "m").await.unwrap();
    }
    assert_eq!(dismissed(&f, "m").await, ["e", "d", "c"]);
    // Who was forgotten can be dismissed anew.
    f.tick(1);
    dismiss(&f, "m", "a").await.unwrap();
    assert_eq!(dismissed(&f, "m").await, ["a", "e", "d"]);
    assert_eq!(
        dismissed(&f, "b").await,
        ["m"],
        "each has a list of their own"
    );
}

async fn a_page_of_dismissals_begins_after_a_line(engine: Engine) {
    let f = Fixture::on(engine).await;
    for (number, other) in ["a", "b", "c", "d", "e"].iter().enumerate() {
        // Two at the same moment.
        f.tick(i64::from(number != 2));
        dismiss(&f, "m", other).await.unwrap();
    }
    let (mut seen, mut after): (Vec<Line>, _) = (Vec::new(), None);
    loop {
        let page = f.store.dismissed(id("m"), after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.clone());
        seen.extend(page);
    }
    assert_eq!(names(&seen), ["e", "d", "c", "b", "a"]);
}

async fn an_erased_member_dismisses_nobody_and_is_in_nobodys_list(engine: Engine) {
    let f = Fixture::with(
        engine,
        Policy {
            job_chunk: 2,
            ..Policy::default()
        },
    )
    .await;
    for other in ["a", "b", "c"] {
        dismiss(&f, "e", other).await.unwrap();
        dismiss(&f, other, "e").await.unwrap();
        dismiss(&f, other, "x").await.unwrap();
    }
    f.store.erase_member(id("e")).await.unwrap();
    assert_eq!(dismiss(&f, "e", "x").await, Err(Refusal::MemberNotFound));
    // Of somebody erased nothing is noted.
    assert_eq!(dismiss(&f, "d", "e").await, Ok(()));
    f.store.acknowledge(f.head().await).await.unwrap();
    for _ in 0..4 {
        f.round().await;
    }
    assert_eq!(f.is_named("e").await, [""; 0]);
    for other in ["a", "b", "c"] {
        assert_eq!(dismissed(&f, other).await, ["x"]);
    }
    assert_eq!(dismissed(&f, "d").await, [""; 0]);
}

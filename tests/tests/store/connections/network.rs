//! The network around a member as the store itself answers for it.

use connection_service::domain::network::{Between, Degree, Suggested, Suggestion, Tie};

use super::*;

over_every_engine! {
    how_far_apart_two_are {
        connected: ("a", Tie::Connected, Degree::First, 1),
        connected_to_the_same: ("d", Tie::None, Degree::Second, 2),
        connected_to_connected: ("f", Tie::None, Degree::Third, 0),
        further_than_that: ("g", Tie::None, Degree::Further, 0),
        unknown: ("nobody", Tie::None, Degree::Further, 0),
        blocked: ("h", Tie::Hidden, Degree::Further, 0),
        blocked_by_the_other: ("i", Tie::Hidden, Degree::Further, 0),
        erased: ("j", Tie::None, Degree::Further, 0),
    },
    many_are_answered_for_in_the_order_asked,
    a_search_that_would_read_too_much_has_no_answer,
    whether_two_have_somebody_in_common,
    those_in_common_are_paged_by_id,
    whom_a_member_may_know_comes_by_how_many_are_in_common,
    who_was_dismissed_or_blocked_or_erased_is_not_suggested,
}

/// Enough for anything here.
const ROWS: u32 = 1_000;

/// `m` knows a, b and c; a and b know d; c and d know e. f is one further, g another. h and i are blocked from or by `m`, and j was erased.
async fn network(engine: Engine) -> Fixture {
    let f = Fixture::on(engine).await;
    for (one, other) in [
        ("m", "a"),
        ("m", "b"),
        ("m", "c"),
        ("a", "b"),
        ("a", "d"),
        ("b", "d"),
        ("c", "e"),
        ("d", "e"),
        ("e", "f"),
        ("f", "g"),
        ("a", "h"),
        ("b", "i"),
        ("a", "j"),
        ("m", "j"),
    ] {
        f.connect(one, other).await;
    }
    f.block("m", "h").await.unwrap();
    f.block("i", "m").await.unwrap();
    f.store.erase_member(id("j")).await.unwrap();
    f
}

async fn how_far_apart_two_are(
    engine: Engine,
    (other, tie, degree, mutual): (&str, Tie, Degree, u32),
) {
    let f = network(engine).await;
    for (one, other) in [("m", other), (other, "m")] {
        for counted in [false, true] {
            let found = f.store.between(id(one), ids(&[other]), counted, ROWS).await;
            let expected = Between {
                tie,
                degree,
                mutual_count: counted.then_some(mutual),
            };
            assert_eq!(found.unwrap().unwrap(), [expected], "{one} {other}");
        }
    }
}

async fn many_are_answered_for_in_the_order_asked(engine: Engine) {
    let f = network(engine).await;
    let others = ids(&["g", "d", "a", "h", "d", "f", "nobody"]);
    let found = f.store.between(id("m"), others, false, ROWS).await.unwrap();
    let degrees: Vec<_> = found.unwrap().iter().map(|found| found.degree).collect();
    let [first, second, third] = [Degree::First, Degree::Second, Degree::Third];
    let further = Degree::Further;
    let expected = [further, second, first, further, second, third, further];
    assert_eq!(degrees, expected);
    let none = f.store.between(id("m"), Vec::new(), true, ROWS).await;
    assert_eq!(none.unwrap().unwrap(), []);
}

async fn a_search_that_would_read_too_much_has_no_answer(engine: Engine) {
    let f = network(engine).await;
    let between = |rows| f.store.between(id("m"), ids(&["g"]), true, rows);
    assert_eq!(between(3).await.unwrap(), None);
    assert!(between(ROWS).await.unwrap().is_some());
    let suggested = |rows| f.store.suggestions(id("m"), None, 9, rows);
    assert_eq!(suggested(4).await.unwrap(), None);
    assert!(suggested(ROWS).await.unwrap().is_some());
    let common = |rows| f.store.mutual_connections(key("m", "d"), None, 9, rows);
    assert_eq!(common(3).await.unwrap(), None);
    assert!(common(ROWS).await.unwrap().is_some());
    // Of several, those that were answered before.
    let keys = vec![key("m", "h"), key("m", "d")];
    let found = f.store.have_mutual(keys, 3).await.unwrap();
    assert_eq!(found, [Some(false), None]);
}

async fn whether_two_have_somebody_in_common(engine: Engine) {
    let f = network(engine).await;
    let others = ["d", "a", "f", "h", "i", "nobody"];
    let found = f.store.have_mutual(pairs("m", &others), ROWS).await;
    let expected = [true, true, false, false, false, false].map(Some);
    assert_eq!(found.unwrap(), expected);
}

async fn those_in_common_are_paged_by_id(engine: Engine) {
    let f = Fixture::on(engine).await;
    let known = ["g", "c", "x", "b", "f"];
    for other in known {
        f.tick(1);
        f.connect("m", other).await;
        f.connect(other, "n").await;
    }
    f.connect("m", "only").await;
    f.connect("n", "other").await;
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let found = f
            .store
            .mutual_connections(key("m", "n"), after, 2, ROWS)
            .await;
        let page = found.unwrap().unwrap();
        assert_eq!(page.total, 5);
        assert!(page.members.len() <= 2);
        after = page.members.last().cloned();
        seen.extend(page.members);
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, ids(&["b", "c", "f", "g", "x"]));
    f.block("m", "n").await.unwrap();
    let found = f
        .store
        .mutual_connections(key("m", "n"), None, 2, ROWS)
        .await;
    let page = found.unwrap().unwrap();
    assert_eq!(
        (page.members, page.total),
        (Vec::new(), 0),
        "nothing is shown"
    );
}

async fn whom_a_member_may_know_comes_by_how_many_are_in_common(engine: Engine) {
    let f = Fixture::on(engine).await;
    // d has four in common with m, b and c have two each, a one.
    for near in ["1", "2", "3", "4"] {
        f.connect("m", near).await;
        f.connect(near, "d").await;
    }
    for (near, far) in [("1", "b"), ("2", "b"), ("3", "c"), ("4", "c"), ("4", "a")] {
        f.connect(near, far).await;
    }
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = f.store.suggestions(id("m"), after, 2, ROWS).await;
        let page = page.unwrap().unwrap();
        assert!(page.suggestions.len() <= 2);
        after = page.suggestions.last().map(|last| Suggested {
            mutual_count: last.mutual_count,
            member: last.member.clone(),
        });
        seen.extend(page.suggestions);
        if !page.more {
            break;
        }
    }
    let suggestion = |member, mutual_count, shown: &[&str]| Suggestion {
        member: id(member),
        mutual_count,
        shown: ids(shown),
    };
    let expected = [
        suggestion("d", 4, &["1", "2", "3"]),
        suggestion("b", 2, &["1", "2"]),
        suggestion("c", 2, &["3", "4"]),
        suggestion("a", 1, &["4"]),
    ];
    assert_eq!(seen, expected);
}

async fn who_was_dismissed_or_blocked_or_erased_is_not_suggested(engine: Engine) {
    let f = network(engine).await;
    let suggested = async || {
        let page = f.store.suggestions(id("m"), None, 9, ROWS).await;
        let page = page.unwrap().unwrap().suggestions;
        let each = page.iter().map(|one| one.member.to_string());
        each.collect::<Vec<_>>()
    };
    assert_eq!(suggested().await, ["d", "e"]);
    let dismissed = f.store.dismiss_suggestion(act("m", "d")).await;
    assert_eq!(dismissed.unwrap(), Ok(()));
    assert_eq!(suggested().await, ["e"]);
    f.block("e", "m").await.unwrap();
    assert_eq!(suggested().await, [""; 0]);
    f.unblock("e", "m").await.unwrap();
    f.store.erase_member(id("c")).await.unwrap();
    assert_eq!(suggested().await, [""; 0], "who knew both is gone");
}

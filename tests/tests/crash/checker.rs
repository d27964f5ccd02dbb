//! What is checked after a crash can fail: each check finds what it is for in stores that were doctored.

use std::{collections::BTreeSet, time::Duration};

use acquaint_tests::rig::{
    CAPS, Rig,
    check::{ANSWERED, STORED, Stores},
};

use crate::PROGRAMS;

/// So many calls fill the stores with something for each check.
const CALLS: usize = 1_000;
/// How long they may take.
const FILLING_MAX: Duration = Duration::from_mins(2);

/// Each check, with a change that it must find.
const DOCTORED: &[(&str, &str)] = &[
    (
        "an acceptance still awaits its verdict",
        "update i.pair set accept_time = 1 where low = (select low from i.pair limit 1)",
    ),
    (
        "an erasure is not complete",
        "insert into c.erasure values ('x', 1, 1, 1, 0)",
    ),
    (
        "the feed has not been followed to its end",
        "update i.meta set feed_position = feed_position - 1",
    ),
    (
        "work is overdue",
        "insert into i.pair_due values (1, 'x', 'y')",
    ),
    (
        "a pair is not listed when it is due",
        "delete from i.pair_due where low = (select low from i.pair_due limit 1)",
    ),
    (
        "a pair is listed when it is not due",
        "insert into i.pair_due values (9000000000000, 'x', 'y')",
    ),
    (
        "a member's invitations are not as many as counted",
        "update i.member set sent_pending = sent_pending + 1 where member = 'member-01'",
    ),
    (
        "a member's connections are not as many as invitation-service counts",
        "update i.member set connections = connections + 1 where member = 'member-01'",
    ),
    (
        "a member's connections, blocks or marks are not as many as counted",
        "update c.member set removal_marks = removal_marks + 1 where member = 'member-01'",
    ),
    (
        "something is noted about no connection",
        "insert into c.annotation values ('x', 1, 'y', x'', 'n')",
    ),
    (
        "a label is not on as many connections as counted",
        "update c.label set connections = connections + 1 where member = (select member from c.label limit 1)",
    ),
    (
        "a connection has a label that is neither there nor being cleared away",
        "insert into c.labelled values ('x', 1, 1, 'y')",
    ),
    (
        "a member's labels or notes are not as many as counted",
        "update c.notebook set labels = labels + 1 where member = (select member from c.notebook limit 1)",
    ),
    (
        "a list of connections differs from the pairs",
        "delete from c.connection where member = (select member from c.connection limit 1)",
    ),
    (
        "a list of blocks differs from the pairs",
        "insert into c.block values ('x', 1, 'y')",
    ),
    (
        "a bar is kept on one side only",
        "insert into i.bar values ('x', 'y', 1, 1)",
    ),
    (
        "a live invitation is not in both members' lists",
        "delete from i.invitation where place = 0",
    ),
    (
        "a list holds an invitation that is not live",
        "update i.invitation set place = 0 where place = 5",
    ),
    (
        "an invitation is live beside a connection or a block",
        "update i.pair set invitation_id = x'00' where (low, high) in
             (select low, high from c.pair where connect_time is not null)",
    ),
    (
        "what invitation-service knows of a pair is not what connection-service says",
        "update i.pair set connect_time = connect_time + 1",
    ),
    (
        "an accepted invitation has neither a connection nor a refusal",
        "delete from c.verdict where invitation_id in (select id from step where kind = 3)",
    ),
    (
        "an invitation became a connection that was never made",
        "delete from c.fact where position = (select min(position) from c.fact where kind = 1 and invitation_id in
             (select id from step where kind = 5))",
    ),
    (
        "a verdict is not what became of the invitation",
        "update c.verdict set verdict = 6, connect_time = null where verdict = 1",
    ),
    (
        "a connection was made that no verdict speaks of",
        "update c.verdict set connect_time = 1 where verdict = 1",
    ),
    (
        "an invitation has connected two members twice",
        "insert into c.fact select 1000000, time, kind, low, high, connection, connect_time, invitation_id, blocked_by_low,
             blocked_by_high, blank, previous_low, previous_high from c.fact where kind = 1 and invitation_id is not null limit 1",
    ),
    (
        "a declined or withdrawn invitation has connected two members",
        "update c.fact set invitation_id = (select id from step where kind = 8 and after is null limit 1)
             where position = (select min(position) from c.fact where kind = 1)",
    ),
    (
        "an invitation has taken a step that it cannot take",
        "insert into i.event select 1000000, 0, 3, id, inviter, invitee, 0, 0, 0, 0, 0 from step where kind = 8 limit 1",
    ),
    (
        "an invitation stands otherwise than its history says",
        "insert into i.event select 1000000, 0, 10, id, inviter, invitee, 0, 0, 0, 0, 0 from step
             where kind = 2 and after is null limit 1",
    ),
    (
        "a pair stands otherwise than its history says",
        "delete from c.pair where connect_time is not null",
    ),
    ("a pair has no history", "delete from c.fact where kind < 6"),
    (
        "the positions of a feed have a gap",
        "delete from i.event where position = 2",
    ),
    (
        "the positions of a feed have a gap",
        "delete from c.fact where position = 2",
    ),
    (
        "a member's events are not linked from the last to the first",
        "update i.member set last_event = 0 where member = 'member-01'",
    ),
    (
        "a member's facts are not linked from the last to the first",
        "update c.fact set previous_low = 0, previous_high = 0",
    ),
    (
        "an epoch begins beyond the end of the feed",
        "update c.epoch set first_position = 1000000",
    ),
    (
        "a member was charged otherwise than they have sent",
        "update i.member set charges = charges || x'0000000000000001' where member = 'member-01'",
    ),
    ("a cap does not hold", "update cap set weekly = 1"),
    ("a cap does not hold", "update cap set pending = -100"),
    ("a cap does not hold", "update cap set connections = 0"),
    (
        "a file is damaged",
        "create table i.damaged (x check (x > 0)); pragma ignore_check_constraints = on; insert into i.damaged values (0);
         pragma ignore_check_constraints = off",
    ),
    (
        "an invitation that was sent is not there",
        "delete from i.event where position = (select min(position) from step where kind = 2)",
    ),
    (
        "an answer to a request is not remembered",
        "delete from i.request where time = (select min(time) from i.request where outcome = 0)",
    ),
    (
        "one request has sent two invitations",
        "insert into i.event select 1000000, 0, 2, x'00', inviter, invitee, 0, 0, 0, 0, 0 from step where kind = 2 limit 1",
    ),
    (
        "an inviter's standing counts otherwise than their invitations went",
        "update i.member set standing = null",
    ),
    (
        "an acceptance is not there",
        "delete from i.event where kind = 3",
    ),
    (
        "a connection that was told of is not there",
        "delete from c.fact where kind = 1",
    ),
    (
        "an answer to an invitation is not there",
        "delete from i.event where kind = 6",
    ),
    (
        "an answer to an invitation is not there",
        "delete from i.event where kind = 7",
    ),
    (
        "an answer to an invitation is not there",
        "delete from i.event where kind = 8",
    ),
    (
        "a step was taken that nobody asked for",
        "delete from call where act = 'withdraw'",
    ),
    (
        "a step was taken that nobody asked for",
        "delete from call where act in ('accept', 'send')",
    ),
    (
        "an invitation has ended without cause",
        "delete from call where act in ('block', 'remove')",
    ),
    (
        "what was removed has come back",
        "insert into call select 'remove', member, other, null, null, 1000000, 1000001, false, 'done', false, null from done
             where outcome = 'accepted' and id in (select invitation_id from c.pair)",
    ),
    (
        "an imported connection is not there",
        "delete from c.pair where connect_time is not null and invitation_id is null",
    ),
    (
        "a row of an import has connected two members twice",
        "insert into c.fact select 1000000, time, kind, low, high, connection, connect_time, invitation_id, blocked_by_low,
             blocked_by_high, blank, previous_low, previous_high from c.fact
             where kind = 1 and invitation_id is null and not blank limit 1",
    ),
    (
        "a connection was imported that no row speaks of",
        "update c.fact set connect_time = connect_time + 1 where kind = 1 and invitation_id is null",
    ),
    (
        "what was removed has come back",
        "insert into call select 'remove', low, high, null, null, 1000000, 1000001, false, 'done', false, null from c.pair
             where invitation_id is null and connect_time is not null",
    ),
    (
        "a dismissal is not there",
        "delete from c.dismissal where member = (select member from c.dismissal limit 1)",
    ),
    (
        "a dismissal is there that nobody asked for",
        "insert into c.dismissal values ('x', 'y', 1)",
    ),
    (
        "a card is not the one that was put last",
        "update c.card set headline = 'x'",
    ),
    (
        "a card is not the one that was put last",
        "delete from c.card where member not in erased",
    ),
    (
        "a block is not there",
        "insert into call values ('block', 'x', 'y', null, null, 1, 2, false, 'done', false, null)",
    ),
    (
        "a block is still there",
        "insert into c.pair (low, high, blocked_by_low_time) values ('x', 'y', 1);
         insert into call values ('unblock', 'x', 'y', null, null, 1, 2, false, 'done', false, null)",
    ),
    (
        "a bar is not there",
        "insert into call values ('decline', 'x', 'y', x'00', null, 1, 2, false, 'done', false, 1)",
    ),
    (
        "a bar is still there",
        "insert into i.bar values ('x', 'y', 1, 1);
         insert into call values ('unbar', 'x', 'y', null, null, 1, 2, false, 'done', false, null)",
    ),
    (
        "what was marked as seen is unseen",
        "update i.member set seen_until = x'00';
         insert into call select 'seen', member, null, null, null, 1, 2, false, 'done', false, create_time + 1 from i.invitation where place = 1",
    ),
    (
        "a wish is not the last one",
        "update i.member set auto_withdraw_days = 1 where member = 'member-00'",
    ),
    (
        "somebody erased is named",
        "insert into c.pair (low, high, blocked_by_low_time) select 'a', member, 1 from erased",
    ),
    (
        "somebody erased is named",
        "insert into c.dismissal select 'member-01', member, 1 from erased",
    ),
    (
        "somebody erased is named",
        "update i.pair set remains = json_object('x', (select member from erased))",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_check_finds_what_it_is_for() {
    let mut rig = Rig::new(PROGRAMS, 1);
    rig.processes.start().await;
    rig.begin().await;
    assert!(rig.calls_begin(CALLS, FILLING_MAX).await);
    assert_eq!(rig.settle().await, Vec::<String>::new());
    let calls = rig.journal.calls();
    rig.processes.invitation.kill().await;
    rig.processes.connection.kill().await;

    let stores = rig.copied_stores().await;
    stores.know(&calls, CAPS);
    assert_eq!(stores.violations(), Vec::<String>::new());
    for (sentence, change) in DOCTORED {
        let found = stores.doctored(change, Stores::violations);
        let named = found.iter().any(|found| found.starts_with(sentence));
        assert!(
            named,
            "{sentence}\nis not found after {change}\nbut {found:?}"
        );
    }
    let doctored: BTreeSet<_> = DOCTORED.iter().map(|(sentence, _)| *sentence).collect();
    let checks: BTreeSet<_> = STORED
        .iter()
        .chain(ANSWERED)
        .map(|(sentence, _)| *sentence)
        .collect();
    assert_eq!(doctored, checks, "each check is shown to fail");
}

//! What must hold of the two stores alone.
//!
//! Kinds of events: 2 sent, 3 accepting, 4 returned, 5 accepted, 6 declined, 7 decline undone, 8 withdrawn, 9 expired, 10 ended. Places: 0 sent, 1
//! received, 2 filtered. Kinds of facts: 1 connected, 2 removed, 3 blocked, 4 unblocked, 5 severed, 6 erased. Verdicts: 1 created, 2 already, 3 and 4
//! full, 5 removed, 6 blocked, 7 erased.

use super::Check;

/// What must not be, whatever was asked.
pub const STORED: &[Check] = &[
    // Nothing is stuck.
    (
        "an acceptance still awaits its verdict",
        "select low, high from i.pair where accept_time is not null",
    ),
    (
        "an erasure is not complete",
        "select member, stage from c.erasure union all select member, 0 from i.member where erased",
    ),
    (
        "the feed has not been followed to its end",
        "select i.meta.feed_position, c.meta.head, c.meta.acknowledged from i.meta, c.meta
         where i.meta.feed_position <> c.meta.head or c.meta.acknowledged <> c.meta.head
             or i.meta.feed_epoch is not (select id from c.epoch order by number desc limit 1)",
    ),
    (
        "work is overdue",
        "select low, high from i.pair_due where due < (unixepoch('subsec') - 5) * 1000
         union all select member, '' from i.member_due where due < (unixepoch('subsec') - 5) * 1000",
    ),
    (
        "a pair is not listed when it is due",
        "select low, high, due from i.pair where due is not null except select low, high, due from i.pair_due",
    ),
    (
        "a pair is listed when it is not due",
        "select low, high, due from i.pair_due except select low, high, due from i.pair",
    ),
    // Counters equal a recount.
    (
        "a member's invitations are not as many as counted",
        "select member from i.member m where
             sent_pending <> (select count(*) from i.invitation e where e.member = m.member and place = 0)
             or received_pending <> (select count(*) from i.invitation e where e.member = m.member and place = 1)
             or filtered_pending <> (select count(*) from i.invitation e where e.member = m.member and place = 2)
             or received_unseen <> (select count(*) from i.invitation e
                 where e.member = m.member and place = 1 and e.invitation_id > m.seen_until)",
    ),
    (
        "a member's connections are not as many as invitation-service counts",
        "select member from i.member m where connections <>
             (select count(*) from i.pair where connect_time is not null and m.member in (low, high))",
    ),
    (
        "a member's connections, blocks or marks are not as many as counted",
        "select member from c.member m where
             connections <> (select count(*) from c.connection l where l.member = m.member)
             or blocks <> (select count(*) from c.block l where l.member = m.member)
             or removal_marks <> (select count(*) from c.removal_mark l where l.member = m.member)",
    ),
    (
        "something is noted about no connection",
        "select member, other, connect_time from c.annotation except select member, other, connect_time from c.connection",
    ),
    (
        "a label is not on as many connections as counted",
        "select member, id from c.label l where connections <> (select count(*) from c.labelled g where g.member = l.member and g.label = l.id)",
    ),
    (
        "a connection has a label that is neither there nor being cleared away",
        "select member, label from c.labelled except select * from (select member, id from c.label union all select member, id from c.dropped_label)",
    ),
    (
        "a member's labels or notes are not as many as counted",
        "select member from c.notebook n where
             annotations <> (select count(*) from c.annotation a where a.member = n.member)
             or labels <> (select count(*) from c.label l where l.member = n.member)
             or (select sum(length(labels)) / 4 from c.annotation a where a.member = n.member) <>
                 (select count(*) from c.labelled g where g.member = n.member)",
    ),
    (
        "a list of connections differs from the pairs",
        "select * from (select member, other, connect_time from c.connection except
             select * from (select low, high, connect_time from c.pair union all select high, low, connect_time from c.pair))
         union all select * from (select * from (select low, high, connect_time from c.pair where connect_time is not null
             union all select high, low, connect_time from c.pair where connect_time is not null)
             except select member, other, connect_time from c.connection)",
    ),
    (
        "a list of blocks differs from the pairs",
        "select * from (select member, other, block_time from c.block except
             select * from (select low, high, blocked_by_low_time from c.pair union all select high, low, blocked_by_high_time from c.pair))
         union all select * from (select * from (select low, high, blocked_by_low_time from c.pair where blocked_by_low_time is not null
             union all select high, low, blocked_by_high_time from c.pair where blocked_by_high_time is not null)
             except select member, other, block_time from c.block)",
    ),
    (
        "a bar is kept on one side only",
        "with kept as (
             select low as member, high as inviter from i.pair where json_extract(remains, '$.bars.high') is not null
             union all select high, low from i.pair where json_extract(remains, '$.bars.low') is not null)
         select * from (select * from kept except select member, inviter from i.bar)
         union all select * from (select member, inviter from i.bar except select * from kept)",
    ),
    // An invitation stands in both members' lists, once.
    (
        "a live invitation is not in both members' lists",
        "select low, high from i.pair p where invitation_id is not null and (
             (select count(*) from i.invitation e where e.invitation_id = p.invitation_id and role = 0 and place = 0) <> 1
             or (select count(*) from i.invitation e where e.invitation_id = p.invitation_id and role = 1 and place in (1, 2)) <> 1)",
    ),
    (
        "a list holds an invitation that is not live",
        "select member, other from i.invitation e where place in (0, 1, 2) and not exists
             (select 1 from i.pair p where p.invitation_id = e.invitation_id and p.low = min(e.member, e.other) and p.high = max(e.member, e.other))",
    ),
    (
        "an invitation is live beside a connection or a block",
        "select i.pair.low, i.pair.high from i.pair join c.pair using (low, high) where i.pair.invitation_id is not null and
             (c.pair.connect_time is not null or blocked_by_low_time is not null or blocked_by_high_time is not null)",
    ),
    // The two stores agree.
    (
        "what invitation-service knows of a pair is not what connection-service says",
        "with known as (select low, high, connect_time, connect_invitation_id, blocked_by_low, blocked_by_high from i.pair
                 where connect_time is not null or blocked_by_low or blocked_by_high),
             said as (select low, high, connect_time, invitation_id, blocked_by_low_time is not null, blocked_by_high_time is not null from c.pair
                 where connect_time is not null or blocked_by_low_time is not null or blocked_by_high_time is not null)
         select * from (select * from known except select * from said) union all select * from (select * from said except select * from known)",
    ),
    (
        "an accepted invitation has neither a connection nor a refusal",
        "select hex(id), inviter, invitee from step s where kind = 3 and not exists
             (select 1 from c.verdict v where v.invitation_id = s.id and v.number = s.acceptances)",
    ),
    (
        "an invitation became a connection that was never made",
        "select hex(id), inviter, invitee from step s where kind = 5 and not exists
             (select 1 from c.fact f where f.kind = 1 and f.invitation_id = s.id)
             -- Who was connected by an import meanwhile has accepted for that connection.
             and not exists (select 1 from c.verdict v join c.fact f on f.kind = 1 and f.invitation_id is null and f.connect_time = v.connect_time
                 and f.low = min(inviter, invitee) and f.high = max(inviter, invitee) where v.invitation_id = s.id and v.verdict = 2)",
    ),
    (
        "a verdict is not what became of the invitation",
        "select hex(id), v.verdict, s.kind from step s join c.verdict v on v.invitation_id = s.id where after is null and not case
             when v.verdict in (1, 2) then s.kind in (5, 10)
             when v.verdict in (3, 4) then s.kind <> 5
             else s.kind = 10 end",
    ),
    (
        "a connection was made that no verdict speaks of",
        "select f.position from c.fact f where kind = 1 and invitation_id is not null and not exists
             (select 1 from c.verdict v where v.invitation_id = f.invitation_id and v.verdict = 1 and v.connect_time = f.connect_time)",
    ),
    (
        "an invitation has connected two members twice",
        "select hex(invitation_id) from c.fact where kind = 1 and invitation_id is not null group by invitation_id having count(*) > 1",
    ),
    (
        "a declined or withdrawn invitation has connected two members",
        "select hex(id) from step join c.fact f on f.invitation_id = id and f.kind = 1 where step.kind in (6, 8) and after is null",
    ),
    // Histories.
    (
        "an invitation has taken a step that it cannot take",
        "select hex(id), before, kind from step where not case kind
             when 2 then before is null when 3 then before in (2, 4, 7) when 4 then before = 3 when 5 then before = 3
             when 6 then before in (2, 4, 7) when 7 then before = 6 when 8 then before in (2, 4, 7)
             when 10 then before in (2, 3, 4, 7) else false end",
    ),
    (
        "an invitation stands otherwise than its history says",
        "select hex(id), kind from step s where after is null and (kind in (2, 3, 4, 7)) <> exists
             (select 1 from i.pair p where p.invitation_id = s.id and p.low = min(s.inviter, s.invitee) and p.high = max(s.inviter, s.invitee))",
    ),
    (
        "a pair stands otherwise than its history says",
        "select f.low, f.high, f.position from c.fact f left join c.pair p using (low, high)
         where f.kind < 6 and f.position = (select max(position) from c.fact l where l.low = f.low and l.high = f.high) and (
             (f.connection = 1) <> (p.connect_time is not null) or (f.connection = 1 and f.connect_time <> p.connect_time)
             or f.blocked_by_low <> (p.blocked_by_low_time is not null) or f.blocked_by_high <> (p.blocked_by_high_time is not null))",
    ),
    (
        "a pair has no history",
        "select low, high from c.pair p where (connect_time is not null or blocked_by_low_time is not null or blocked_by_high_time is not null)
             and not exists (select 1 from c.fact f where f.low = p.low and f.high = p.high)",
    ),
    (
        "the positions of a feed have a gap",
        "select 'events', head from i.meta where head <> (select count(*) from i.event) or head <> (select coalesce(max(position), 0) from i.event)
         union all select 'facts', head from c.meta
             where head <> (select count(*) from c.fact) or head <> (select coalesce(max(position), 0) from c.fact)",
    ),
    (
        "a member's events are not linked from the last to the first",
        "with recursive chain (member, link) as (select member, last_event from i.member where last_event > 0 union all
             select chain.member, iif(link % 2, previous_of_invitee, previous_of_inviter) from chain join i.event on position = link / 2
                 where iif(link % 2, previous_of_invitee, previous_of_inviter) > 0)
         select member from i.member m where exists (select position from i.event where m.member in (inviter, invitee)
             except select link / 2 from chain where chain.member = m.member)",
    ),
    (
        "a member's facts are not linked from the last to the first",
        "with recursive chain (member, at) as (select member, last_fact from c.member where last_fact > 0 union all
             select chain.member, iif(low = chain.member, previous_low, previous_high) from chain join c.fact on position = at
                 where iif(low = chain.member, previous_low, previous_high) > 0)
         select member from c.member m where exists (select position from c.fact where m.member in (low, high)
             except select at from chain where chain.member = m.member)",
    ),
    (
        "an epoch begins beyond the end of the feed",
        "select 'events', number from i.epoch where first_position > (select head + 1 from i.meta)
         union all select 'facts', number from c.epoch where first_position > (select head + 1 from c.meta)",
    ),
    // Caps.
    (
        "a cap does not hold",
        "select member, 'weekly' from i.member, cap where length(charges) / 8 > weekly
         union all select member, 'pending' from i.member m, cap where sent_pending > pending +
             (select count(*) from i.event e where e.kind = 7 and e.inviter = m.member)
         union all select member, 'connections' from c.member, cap where c.member.connections > cap.connections",
    ),
    // Files.
    // Says `ok` where nothing is wrong.
    ("a file is damaged", "pragma i.integrity_check(1)"),
    ("a file is damaged", "pragma c.integrity_check(1)"),
];

//! What was answered is there, once; and what is there was asked for.
//!
//! Of calls that meet, either may have come first. So a call stands against another only if it had ended before the other began; one that
//! nobody answered never ends.

use super::Check;

/// What must not be, after these calls.
pub const ANSWERED: &[Check] = &[
    (
        "an invitation that was sent is not there",
        "select member, other, hex(id) from done where act = 'send' and outcome = 'sent' and member not in erased and other not in erased
             and not exists (select 1 from step where step.id = done.id and kind = 2 and inviter = member and invitee = other)",
    ),
    (
        "an answer to a request is not remembered",
        "select member, other, hex(id) from done d where act = 'send' and outcome = 'sent' and member not in erased and not exists
             (select 1 from i.request r where r.inviter = d.member and r.request_id = d.request_id and r.invitation_id = d.id and r.outcome = 0)",
    ),
    (
        "one request has sent two invitations",
        "select inviter, invitee, count(*) from step where kind = 2 group by inviter, invitee having count(*) >
             (select count(distinct request_id) from call where act = 'send' and outcome = 'sent' and member = inviter and other = invitee)",
    ),
    (
        "a member was charged otherwise than they have sent",
        "select member from i.member m where length(charges) / 8 <>
             (select count(*) from done where act = 'send' and outcome = 'sent' and done.member = m.member)",
    ),
    (
        "an inviter's standing counts otherwise than their invitations went",
        "select v.inviter, s.sent, s.accepted, s.refused, s.withdrawn, s.expired from
             (select inviter, count(*) filter (where kind = 2) as sent, count(*) filter (where kind = 5) as accepted,
                  count(*) filter (where kind in (6, 8)) - count(*) filter (where kind = 7) as ended, count(*) filter (where kind = 9) as expired,
                  -- What was overtaken counts if it was pending.
                  count(*) filter (where kind = 10) as overtaken
              from step where inviter not in erased
                  and inviter not in (select c.member from call c where c.act = 'send' and c.other in erased) group by inviter) v
         left join standing s on s.member = v.inviter
         where (s.sent is v.sent and s.accepted is v.accepted and s.expired is v.expired
             and s.refused + s.withdrawn between v.ended and v.ended + v.overtaken) is not true",
    ),
    (
        "an acceptance is not there",
        "select member, other, hex(id) from done where outcome = 'accepted' and member not in erased and other not in erased
             and not exists (select 1 from step where step.id = done.id and kind = 3 and invitee = member and inviter = other)",
    ),
    (
        "a connection that was told of is not there",
        "select member, other, hex(id) from done where outcome = 'accepted' and connected and member not in erased and other not in erased
             and not exists (select 1 from c.fact f where f.kind = 1 and f.low = min(member, other) and f.high = max(member, other)
                 and (f.invitation_id = done.id or f.invitation_id is null and exists (select 1 from c.verdict v
                     where v.invitation_id = done.id and v.verdict = 2 and v.connect_time = f.connect_time)))",
    ),
    (
        "an answer to an invitation is not there",
        "select act, member, other, hex(id) from done where act in ('decline', 'withdraw') and member not in erased and other not in erased
             and not exists (select 1 from step where step.id = done.id and kind = iif(act = 'decline', 6, 8)
                 and iif(act = 'decline', invitee, inviter) = member)
         union all select act, member, other, hex(id) from done where act = 'undo' and member not in erased and other not in erased
             -- One that was not declined yet is undone in vain, and may be declined afterwards.
             and exists (select 1 from done d where d.act = 'decline' and d.id = done.id and d.ended < done.begun)
             and not exists (select 1 from step where step.id = done.id and kind = 7)",
    ),
    (
        "a step was taken that nobody asked for",
        "select hex(s.id), kind, inviter, invitee from step s where kind in (3, 6, 7, 8) and not exists (select 1 from call c
             where (c.outcome is not 'refused' or c.repeated) and (case kind when 3 then c.act = 'accept' when 6 then c.act = 'decline' when 7 then c.act = 'undo'
                     else c.act = 'withdraw' end and c.id = s.id and c.member = iif(kind = 8, inviter, invitee)
                 or kind = 3 and c.act = 'send' and c.member = invitee and c.other = inviter))
             -- A call that found a limit has accepted all the same, and was given back.
             and not (kind = 3 and exists (select 1 from call c where c.outcome = 'refused' and (c.act = 'accept' and c.id = s.id
                 or c.act = 'send' and c.member = invitee and c.other = inviter)))",
    ),
    (
        "an invitation has ended without cause",
        "select hex(s.id), inviter, invitee from step s where kind = 10 and not exists (select 1 from call c
             where c.act in ('block', 'remove', 'import') and (c.outcome is not 'refused' or c.repeated)
                 and min(c.member, c.other) = min(inviter, invitee) and max(c.member, c.other) = max(inviter, invitee))",
    ),
    (
        "what was removed has come back",
        "select r.member, r.other, hex(a.id) from done r join done a on (a.outcome = 'accepted' or a.act = 'import') and a.ended < r.begun
             and min(a.member, a.other) = min(r.member, r.other) and max(a.member, a.other) = max(r.member, r.other)
         join c.pair p on p.low = min(r.member, r.other) and p.high = max(r.member, r.other)
             and iif(a.act = 'import', p.invitation_id is null and p.connect_time = a.value, p.invitation_id = a.id)
         where r.act in ('remove', 'block')",
    ),
    (
        "an imported connection is not there",
        "select d.member, d.other, d.value from done d where d.act = 'import' and d.member not in erased and d.other not in erased
             and not exists (select 1 from c.pair p where p.connect_time is not null
                 and p.low = min(d.member, d.other) and p.high = max(d.member, d.other))
             and not exists (select 1 from call e where e.act in ('block', 'remove') and coalesce(e.ended > d.begun, true)
                 and min(e.member, e.other) = min(d.member, d.other) and max(e.member, e.other) = max(d.member, d.other))",
    ),
    (
        "a row of an import has connected two members twice",
        "select low, high, connect_time from c.fact where kind = 1 and invitation_id is null and not blank group by low, high, connect_time having count(*) > 1",
    ),
    (
        "a connection was imported that no row speaks of",
        "select low, high, connect_time from c.fact where kind = 1 and invitation_id is null and not blank and not exists
             (select 1 from call d where d.act = 'import' and (d.outcome is not 'refused' or d.repeated)
                 and low = min(d.member, d.other) and high = max(d.member, d.other) and d.value = connect_time)",
    ),
    (
        "a dismissal is not there",
        "select member, other from done where act = 'dismiss' and member not in erased and other not in erased
         except select member, other from c.dismissal",
    ),
    (
        "a dismissal is there that nobody asked for",
        "select member, other from c.dismissal except select member, other from call where act = 'dismiss' and (outcome is not 'refused' or repeated)",
    ),
    (
        "a card is not the one that was put last",
        "select d.member, d.value, c.headline from done d left join c.card c on c.member = d.member
         where d.act = 'put' and d.member not in erased and c.headline is not cast(d.value as text)
             and not exists (select 1 from call l where l.act = 'put' and l.member = d.member and coalesce(l.ended > d.begun, true)
                 and cast(l.value as text) is c.headline)",
    ),
    (
        "a block is not there",
        "select b.member, b.other from done b left join c.pair p on p.low = min(b.member, b.other) and p.high = max(b.member, b.other)
         where b.act = 'block' and b.member not in erased and b.other not in erased
             and iif(b.member < b.other, p.blocked_by_low_time, p.blocked_by_high_time) is null
             and not exists (select 1 from call u where u.act = 'unblock' and u.member = b.member and u.other = b.other
                 and coalesce(u.ended > b.begun, true))",
    ),
    (
        "a block is still there",
        "select u.member, u.other from done u join c.pair p on p.low = min(u.member, u.other) and p.high = max(u.member, u.other)
         where u.act = 'unblock' and iif(u.member < u.other, p.blocked_by_low_time, p.blocked_by_high_time) is not null
             and not exists (select 1 from call b where b.act = 'block' and b.member = u.member and b.other = u.other
                 and coalesce(b.ended > u.begun, true))",
    ),
    (
        "a bar is not there",
        "select d.member, d.other from done d where d.act = 'decline' and d.value = 1 and d.member not in erased and d.other not in erased
             and not exists (select 1 from i.bar where i.bar.member = d.member and i.bar.inviter = d.other)
             -- A repeated decline bars nobody anew whom an unbarring has come to first.
             and not exists (select 1 from call f where f.act = 'decline' and f.id = d.id and f.begun < d.begun)
             and not exists (select 1 from call u where u.act in ('unbar', 'undo') and u.member = d.member and u.other = d.other
                 and coalesce(u.ended > d.begun, true))",
    ),
    (
        "a bar is still there",
        "select u.member, u.other from done u join i.bar b on b.member = u.member and b.inviter = u.other where u.act = 'unbar'
             and not exists (select 1 from call d where d.act = 'decline' and d.value = 1 and d.member = u.member and d.other = u.other
                 and coalesce(d.ended > u.begun, true))",
    ),
    (
        "what was marked as seen is unseen",
        "select s.member, hex(e.invitation_id) from done s join i.invitation e on e.member = s.member and e.place in (1, 2)
             and e.create_time < s.value join i.member m on m.member = s.member
         where s.act = 'seen' and e.invitation_id > m.seen_until
             -- One whose decline was taken back may have been in no list when the list was marked.
             and not exists (select 1 from step where step.id = e.invitation_id and kind = 7)",
    ),
    (
        "a wish is not the last one",
        "select w.member, w.value, m.auto_withdraw_days from done w left join i.member m on m.member = w.member
         where w.act = 'wish' and w.begun = (select max(begun) from call l where l.act = 'wish' and l.member = w.member)
             and m.auto_withdraw_days is not w.value",
    ),
    (
        "somebody erased is named",
        "select distinct place, member from erased join written on instr(value, cast(member as blob))",
    ),
];

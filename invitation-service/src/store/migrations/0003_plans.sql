-- A member, with one column more.
drop view member;
create view member as select
    member,
    c1 as erased,                         -- 1 while the erasure is under way; then the row goes
    c2 as sent_pending,
    c3 as received_pending,
    c4 as received_unseen,
    c5 as filtered_pending,
    c6 as connections,
    c7 as charges,                        -- times, 8 bytes each, big-endian, oldest first
    c8 as probes,                         -- likewise
    c9 as who_can_invite,                 -- 0 everyone, 1 nobody
    c10 as auto_withdraw_days,
    c11 as auto_withdraw_due,
    c12 as seen_until,
    c13 as last_event,                    -- a link: twice the event's position, plus 1 where the member is the invitee; 0 for none
    c14 as plan                           -- the plan that the member was given; null for basic. What it grants is the configuration's
from of_member where kind = -1;

-- What operators did, in order. The rows stay; of an erased member the name does not.
create table standing_act (
    number integer primary key,
    time integer not null,
    author text not null,                 -- the name of the credential that it was done with
    member text,
    plan text not null                    -- the plan that was assigned
) strict;
create index standing_act_by_member on standing_act (member);
create index standing_act_by_plan on standing_act (plan);

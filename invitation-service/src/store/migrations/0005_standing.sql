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
    c14 as plan,                          -- the plan that the member was given; null for basic. What it grants is the configuration's
    c15 as standing                       -- how the member is regarded as an inviter; null for who has never sent. Its form is the program's
from of_member where kind = -1;

-- What operators did is more than giving plans.
create table standing_act_of_all_kinds (
    number integer primary key,
    time integer not null,
    author text not null,                 -- the name of the credential that it was done with
    request_id blob,                      -- stands for the author's request; null where it had none
    member text,
    kind integer not null,                -- 0 gave a plan, 1 set a weekly cap or (null) took it away, 2 restricted, 3 lifted that, 4 cleared flags
    plan text,
    weekly_cap integer,
    until integer
) strict;
insert into standing_act_of_all_kinds (number, time, author, member, kind, plan)
    select number, time, author, member, 0, plan from standing_act;
drop table standing_act;
alter table standing_act_of_all_kinds rename to standing_act;
create index standing_act_by_member on standing_act (member);
create index standing_act_by_request on standing_act (request_id) where request_id is not null;
create index standing_act_by_plan on standing_act (plan) where plan is not null;

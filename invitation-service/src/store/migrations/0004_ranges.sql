-- What each side keeps of an invitation, by a range of kinds: a list of them would be made into a table for each query.
drop view invitation;
create view invitation as select
    member,
    kind as place,                        -- 0 sent, 1 received, 2 filtered, 3 withdrawn, 4 declined, 5 accepted
    key as invitation_id,
    c1 as other,
    c2 as role,                           -- 0 inviter, 1 invitee
    c3 as shown,                          -- 0 pending, 1 accepting, 2 accepted, 3 declined, 4 withdrawn
    c4 as note,
    c5 as source,
    c6 as create_time,
    c7 as update_time,
    c8 as expire_time,
    c9 as connect_time
from of_member where kind between 0 and 5;

-- Times are milliseconds since the Unix epoch, UTC. Ids of invitations are UUIDv7 as 16 bytes, so they sort by the time of sending.

-- One row: what the store itself knows.
create table meta (
    id integer primary key check (id = 1),
    secret blob not null,                 -- 32 bytes; keys of tokens and of hashes are derived from it
    last_time integer not null,           -- the last committed time; the store's time never goes back behind it
    last_id blob not null,                -- the last id given out
    head integer not null,                -- the position of the last event
    feed_epoch blob,                      -- how far connection-service's feed has been followed: in which history,
    feed_position integer not null        -- and up to where
) strict;

-- What a member has lies together in one tree, so that an act between two members touches two places of the file and not ten: most of
-- what a commit costs is the pages that it writes. Each kind of row has a view below that names its columns; reading goes by the views,
-- writing by the table.
create table of_member (
    member text not null,
    kind integer not null,                -- -1 the member, 0 to 5 an invitation by its place, 6 a pair, 7 a pair of the higher member, 8 a bar, 9 a request
    key any not null,
    c1 any, c2 any, c3 any, c4 any, c5 any, c6 any, c7 any, c8 any, c9 any, c10 any,
    c11 any, c12 any, c13 any, c14 any, c15 any, c16 any, c17 any, c18 any, c19 any, c20 any, c21 any,
    primary key (member, kind, key)
) strict, without rowid;

-- A member.
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
    c13 as last_event                     -- a link: twice the event's position, plus 1 where the member is the invitee; 0 for none
from of_member where kind = -1;

-- What each side keeps of an invitation.
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
from of_member where kind in (0, 1, 2, 3, 4, 5);

-- Two members, unordered (low < high, byte for byte), and what is between them. It lies with the lower one.
create view pair as select
    member as low,
    key as high,
    -- The live invitation.
    c1 as invitation_id,
    c2 as inviter,                        -- 0 the lower member, 1 the higher
    c3 as filtered,
    c4 as create_time,
    c5 as expire_time,
    c6 as decided_at,                     -- a position in connection-service's feed
    c7 as acceptances,
    c8 as last_event,
    -- Its acceptance that awaits a verdict.
    c9 as accept_time,
    c10 as accept_attempts,
    c11 as accept_next_attempt,
    c12 as accept_request_id,
    c13 as accept_trace,                  -- of the request that accepted: whoever sees the acceptance through continues it
    c14 as accept_overtaken,
    -- The copy of connection-service's facts.
    c15 as connect_time,
    c16 as connect_invitation_id,
    c17 as blocked_by_low,
    c18 as blocked_by_high,
    c19 as facts_position,
    -- What remains of ended invitations, and bars, as JSON; null when nothing does.
    c20 as remains,
    -- When time alone next changes something here.
    c21 as due
from of_member where kind = 6;

-- Finds a pair by its higher member.
create view pair_of_high as select member as high, key as low from of_member where kind = 7;

-- Bars by who has set them; written with the pair, which is what decisions read.
create view bar as select
    member,
    key as inviter,
    c1 as reason,                         -- 1 don't know, 2 spam
    c2 as bar_time
from of_member where kind = 8;

-- Answers to request ids.
create view request as select
    member as inviter,
    key as request_id,
    c1 as content,                        -- keyed hash of invitee, note and source
    c2 as time,
    c3 as invitation_id,
    c4 as outcome,                        -- 0 sent, 1 accepting, 2 connected
    c5 as expire_time,
    c6 as connect_time,
    c7 as create_time,
    c8 as weekly_cap,
    c9 as used,
    c10 as next_place_time,
    c11 as pending_sent,
    c12 as pending_cap
from of_member where kind = 9;
create index request_by_time on of_member (c2) where kind = 9;

-- The pairs by when they are due.
create table pair_due (
    due integer not null,
    low text not null,
    high text not null,
    primary key (due, low, high)
) strict, without rowid;

-- The members by when their auto-withdrawal is due.
create table member_due (
    due integer not null,
    member text not null,
    primary key (due, member)
) strict, without rowid;

-- Cool-downs after a withdrawal, by keyed hash of inviter and invitee.
create table withdraw_cooldown (
    ordered_pair blob primary key,
    until integer not null
) strict, without rowid;
create index withdraw_cooldown_by_time on withdraw_cooldown (until);

-- Keyed hashes of ids that are never used again.
create table erased (
    member_hash blob primary key
) strict, without rowid;

-- What happened, in the order of commits. Each member's events are a list linked backwards from the member's row.
create table event (
    position integer primary key,
    time integer not null,
    kind integer not null,
    invitation_id blob not null,
    inviter text,
    invitee text,
    inviter_effect integer not null,      -- 0 none, 1 appeared, 2 changed, 3 gone
    invitee_effect integer not null,
    previous_of_inviter integer not null, -- links, as in the member's row
    previous_of_invitee integer not null,
    previous_of_invitation integer not null -- a position
) strict;

-- Times are milliseconds since the Unix epoch, UTC. Ids of invitations are UUIDv7 as 16 bytes, so they sort by the time of sending.
-- What a member has lies together: keys begin with the member or with the pair.

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

-- Two members, unordered (low < high, byte for byte), and what is between them.
create table pair (
    low text not null,
    high text not null,
    -- The live invitation.
    invitation_id blob,
    inviter integer,                      -- 0 the lower member, 1 the higher
    filtered integer,
    create_time integer,
    expire_time integer,
    decided_at integer,                   -- a position in connection-service's feed
    acceptances integer,
    last_event integer,
    -- Its acceptance that awaits a verdict.
    accept_time integer,
    accept_attempts integer,
    accept_next_attempt integer,
    accept_request_id blob,
    accept_overtaken integer,
    -- The copy of connection-service's facts.
    connect_time integer,
    connect_invitation_id blob,
    blocked_by_low integer not null,
    blocked_by_high integer not null,
    facts_position integer not null,
    -- What remains of ended invitations, and bars, as JSON; null when nothing does.
    remains text,
    -- When time alone next changes something here.
    due integer,
    primary key (low, high)
) strict, without rowid;
create index pair_of_high on pair (high, low);

-- The pairs by when they are due.
create table pair_due (
    due integer not null,
    low text not null,
    high text not null,
    primary key (due, low, high)
) strict, without rowid;

create table member (
    member text primary key,
    erased integer not null,              -- 1 while the erasure is under way; then the row goes
    sent_pending integer not null,
    received_pending integer not null,
    received_unseen integer not null,
    filtered_pending integer not null,
    connections integer not null,
    charges blob not null,                -- times, 8 bytes each, big-endian, oldest first
    probes blob not null,                 -- likewise
    who_can_invite integer not null,      -- 0 everyone, 1 nobody
    auto_withdraw_days integer,
    auto_withdraw_due integer,
    seen_until blob not null,
    last_event integer not null           -- a link: twice the event's position, plus 1 where the member is the invitee; 0 for none
) strict, without rowid;

-- The members by when their auto-withdrawal is due.
create table member_due (
    due integer not null,
    member text not null,
    primary key (due, member)
) strict, without rowid;

-- What each side keeps of an invitation.
create table invitation (
    member text not null,
    place integer not null,               -- 0 sent, 1 received, 2 filtered, 3 withdrawn, 4 declined, 5 accepted
    invitation_id blob not null,
    other text not null,
    role integer not null,                -- 0 inviter, 1 invitee
    shown integer not null,               -- 0 pending, 1 accepting, 2 accepted, 3 declined, 4 withdrawn
    note text not null,
    source text not null,
    create_time integer not null,
    update_time integer not null,
    expire_time integer not null,
    connect_time integer,
    primary key (member, place, invitation_id)
) strict, without rowid;

-- Bars by who has set them; written with the pair, which is what decisions read.
create table bar (
    member text not null,
    inviter text not null,
    reason integer not null,              -- 1 don't know, 2 spam
    bar_time integer not null,
    primary key (member, inviter)
) strict, without rowid;

-- Answers to request ids.
create table request (
    inviter text not null,
    request_id blob not null,
    content blob not null,                -- keyed hash of invitee, note and source
    time integer not null,
    invitation_id blob not null,
    outcome integer not null,             -- 0 sent, 1 accepting, 2 connected
    expire_time integer,
    connect_time integer,
    create_time integer,
    weekly_cap integer not null,
    used integer not null,
    next_place_time integer,
    pending_sent integer not null,
    pending_cap integer not null,
    primary key (inviter, request_id)
) strict, without rowid;
create index request_by_time on request (time);

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

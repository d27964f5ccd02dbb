-- Times are milliseconds since the Unix epoch, UTC. Ids of invitations are UUIDv7, so they sort by the time of sending. `lane` is the lane
-- of the member, or of the lower member of a pair; 0 for what there is one of. Texts are compared byte for byte, as the program does.

alter table head
    add column last_id uuid not null default '00000000-0000-0000-0000-000000000000', -- the last id given out
    add column acts bigint not null default 0,           -- the number of the last act of an operator
    add column feed_epoch bytea,                         -- how far connection-service's feed has been followed: in which history,
    add column feed_position bigint not null default 0,  -- and up to where
    add column leader bigint not null default 0,         -- which process does what one does for all: the number of the epoch that it began
    add column leader_until bigint not null default 0;   -- and until when nobody else may take its place

create table member (
    lane integer not null,
    member text collate "C" not null,
    version bigint not null,
    erased boolean not null,                             -- while the erasure is under way; then the row goes
    sent_pending integer not null,
    received_pending integer not null,
    received_unseen integer not null,
    filtered_pending integer not null,
    connections integer not null,
    charges bytea not null,                              -- times, 8 bytes each, big-endian, oldest first
    probes bytea not null,                               -- likewise
    who_can_invite smallint not null,                    -- 0 everyone, 1 nobody
    auto_withdraw_days integer,
    auto_withdraw_due bigint,
    seen_until uuid not null,
    last_event bigint not null,                          -- a link: twice the event's position, plus 1 where the member is the invitee; 0 for none
    plan text,                                           -- the plan that the member was given; null for basic
    standing bytea,                                      -- how the member is regarded as an inviter; null for who has never sent
    primary key (lane, member)
) with (fillfactor = 70);
create index member_due on member (lane, auto_withdraw_due) where auto_withdraw_due is not null;

-- What each side keeps of an invitation.
create table invitation (
    lane integer not null,
    member text collate "C" not null,
    place smallint not null,                             -- 0 sent, 1 received, 2 filtered, 3 withdrawn, 4 declined, 5 accepted
    invitation_id uuid not null,
    other text collate "C" not null,
    role smallint not null,                              -- 0 inviter, 1 invitee
    shown smallint not null,                             -- 0 pending, 1 accepting, 2 accepted, 3 declined, 4 withdrawn
    note text not null,
    source text not null,
    create_time bigint not null,
    update_time bigint not null,
    expire_time bigint not null,
    connect_time bigint,
    primary key (lane, member, place, invitation_id)
);

-- Two members, unordered (low < high, byte for byte), and what is between them.
create table pair (
    lane integer not null,
    low text collate "C" not null,
    high text collate "C" not null,
    version bigint not null,
    -- The live invitation.
    invitation_id uuid,
    inviter smallint,                                    -- 0 the lower member, 1 the higher
    filtered boolean,
    create_time bigint,
    expire_time bigint,
    decided_at bigint,                                   -- a position in connection-service's feed
    acceptances integer,
    last_event bigint,
    -- Its acceptance that awaits a verdict.
    accept_time bigint,
    accept_attempts integer,
    accept_next_attempt bigint,
    accept_request_id uuid,
    accept_trace bytea,                                  -- of the request that accepted: whoever sees the acceptance through continues it
    accept_overtaken boolean,
    -- The copy of connection-service's facts.
    connect_time bigint,
    connect_invitation_id uuid,
    blocked_by_low boolean not null,
    blocked_by_high boolean not null,
    facts_position bigint not null,
    -- What remains of ended invitations, and bars, as JSON; null when nothing does.
    remains text,
    -- When time alone next changes something here.
    due bigint,
    primary key (lane, low, high)
);
-- Finds a pair by its higher member: in any lane, for its lane is the lower one's.
create index pair_of_high on pair (lane, high, low);
create index pair_due on pair (lane, due) where due is not null;

-- Bars by who has set them; written with the pair, which is what decisions read.
create table bar (
    lane integer not null,
    member text collate "C" not null,
    inviter text collate "C" not null,
    reason smallint not null,                            -- 1 don't know, 2 spam
    bar_time bigint not null,
    primary key (lane, member, inviter)
);

-- Answers to request ids.
create table request (
    lane integer not null,
    inviter text collate "C" not null,
    request_id uuid not null,
    content bytea not null,                              -- keyed hash of invitee, note and source
    time bigint not null,
    invitation_id uuid not null,
    outcome smallint not null,                           -- 0 sent, 1 accepting, 2 connected, 3 ended
    expire_time bigint,
    connect_time bigint,
    create_time bigint,
    weekly_cap integer not null,
    used integer not null,
    next_place_time bigint,
    pending_sent integer not null,
    pending_cap integer not null,
    primary key (lane, inviter, request_id)
);
create index request_by_time on request (lane, time);

-- Cool-downs after a withdrawal, by keyed hash of inviter and invitee, which gives the lane.
create table withdraw_cooldown (
    lane integer not null,
    ordered_pair bytea not null,
    until bigint not null,
    primary key (lane, ordered_pair)
);
create index withdraw_cooldown_by_time on withdraw_cooldown (lane, until);

-- Keyed hashes of ids that are never used again; each gives its lane.
create table erased (
    lane integer not null,
    member_hash bytea not null,
    primary key (lane, member_hash)
);

-- What happened, in the order of commits, in one lane. Each member's events are a list linked backwards from the member's row.
create table event (
    lane integer not null check (lane = 0),
    position bigint not null,
    time bigint not null,
    kind smallint not null,
    invitation_id uuid not null,
    inviter text collate "C",
    invitee text collate "C",
    inviter_effect smallint not null,                    -- 0 none, 1 appeared, 2 changed, 3 gone
    invitee_effect smallint not null,
    previous_of_inviter bigint not null,                 -- links, as in the member's row
    previous_of_invitee bigint not null,
    previous_of_invitation bigint not null,              -- a position
    primary key (lane, position)
);

-- What operators did, in order. The rows stay; of an erased member the name does not.
create table standing_act (
    lane integer not null check (lane = 0),
    number bigint not null,
    time bigint not null,
    author text not null,                                -- the name of the credential that it was done with
    request_id uuid,                                     -- stands for the author's request; null where it had none
    member text collate "C",
    kind smallint not null,                              -- 0 gave a plan, 1 set a weekly cap or (null) took it away, 2 restricted, 3 lifted that, 4 cleared flags
    plan text,
    weekly_cap integer,
    until bigint,
    primary key (lane, number)
);
create index standing_act_by_member on standing_act (lane, member) where member is not null;
create unique index standing_act_by_request on standing_act (lane, request_id, author) where request_id is not null;
create index standing_act_by_plan on standing_act (lane, plan) where plan is not null;

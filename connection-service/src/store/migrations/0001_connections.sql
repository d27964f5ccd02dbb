-- What connection-service keeps. Times are milliseconds since 1970 in UTC by the store's clock, which never goes back; positions
-- count the facts 1, 2, 3, … in the order of commits. Everything that is read together lies together: no table has a rowid but the
-- feed, whose rowid is the position.

-- The store as a whole; one row.
create table meta (
    one integer primary key check (one = 1),
    -- Keys tokens and the hashes of erased ids; never changes.
    secret blob not null check (length(secret) = 32),
    -- The last position taken.
    head integer not null check (head >= 0),
    -- The time of the last commit that changed something.
    last_time integer not null,
    -- Up to here invitation-service has stored the facts.
    acknowledged integer not null check (acknowledged between 0 and head),
    -- Up to here facts have been forgotten.
    pruned integer not null check (pruned between 0 and head)
) strict;

create table member (
    member text primary key,
    connections integer not null check (connections >= 0),
    blocks integer not null check (blocks >= 0),
    removal_marks integer not null check (removal_marks >= 0),
    -- The last fact that names the member; each leads to the one before. 0 for none.
    last_fact integer not null check (last_fact >= 0)
) strict, without rowid;

-- The truth about two members; what nothing holds between has no row.
create table pair (
    low text not null,
    high text not null,
    connect_time integer,
    invitation_id blob check (length(invitation_id) = 16),
    blocked_by_low_time integer,
    blocked_by_high_time integer,
    removed_by_low_time integer,
    removed_by_high_time integer,
    primary key (low, high),
    check (low < high),
    check (connect_time is null or (blocked_by_low_time is null and blocked_by_high_time is null))
) strict, without rowid;
-- Finds the other half of a member's pairs when the member is erased.
create index pair_by_high on pair (high);

-- The next three follow from `pair`: lists of one member, each in the order of its time.
create table connection (
    member text not null,
    connect_time integer not null,
    other text not null,
    primary key (member, connect_time, other)
) strict, without rowid;
create table block (
    member text not null,
    block_time integer not null,
    other text not null,
    primary key (member, block_time, other)
) strict, without rowid;
create table removal_mark (
    member text not null,
    removed_time integer not null,
    other text not null,
    primary key (member, removed_time, other)
) strict, without rowid;
create index removal_mark_by_time on removal_mark (removed_time);

-- What became of the latest acceptance of each invitation. Names no member.
create table verdict (
    invitation_id blob primary key check (length(invitation_id) = 16),
    number integer not null check (number > 0),
    -- 1 created, 2 already, 3 the acceptor full, 4 the inviter full, 5 removed, 6 blocked, 7 erased
    verdict integer not null check (verdict between 1 and 7),
    -- For 1 and 2.
    connect_time integer,
    position integer not null,
    decide_time integer not null,
    check ((connect_time is not null) = (verdict in (1, 2)))
) strict, without rowid;
create index verdict_by_time on verdict (decide_time);

-- The feed.
create table fact (
    position integer primary key,
    time integer not null,
    -- 1 connected, 2 removed, 3 blocked, 4 unblocked, 5 severed by an erasure, 6 erased
    kind integer not null check (kind between 1 and 6),
    -- The pair; for 6 `low` alone. Null: erased since.
    low text,
    high text,
    -- 1: connected from there on, 2: this ended the connection, 0: neither. The next two columns describe that connection.
    connection integer not null check (connection between 0 and 2),
    connect_time integer,
    invitation_id blob check (length(invitation_id) = 16),
    blocked_by_low integer not null check (blocked_by_low in (0, 1)),
    blocked_by_high integer not null check (blocked_by_high in (0, 1)),
    -- 1: named somebody who was erased, and has lost its content.
    blank integer not null check (blank in (0, 1)),
    -- The fact before this one that names the lower (the erased), the higher member; 0 for none.
    previous_low integer not null,
    previous_high integer not null
) strict;

-- Ids that must never be used again, as keyed hashes, with the position of the fact of the erasure.
create table erased (
    hash blob primary key check (length(hash) = 16),
    position integer not null
) strict, without rowid;

-- Erasures that are not complete.
create table erasure (
    member text primary key,
    position integer not null,
    last_fact integer not null,
    -- 1 severing, 2 awaiting acknowledgement, 3 blanking
    stage integer not null check (stage between 1 and 3),
    -- For 3: the next fact to blank.
    next integer not null
) strict, without rowid;
create index erasure_by_stage on erasure (stage, position);

-- Now and then, what was acknowledged: to know when the facts of a verdict were.
create table acknowledgement (
    time integer primary key,
    position integer not null
) strict;

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

-- What a member has lies together in one tree, so that an act between two members touches two places of the file and not ten: most of
-- what a commit costs is the pages that it writes. Each kind of row has a view below that names its columns; reading goes by the views,
-- writing by the table.
create table of_member (
    member text not null,
    -- 0 the member, 1 a pair, 2 a pair of the higher member, 3 a connection, 4 a block, 5 a removal mark
    kind integer not null check (kind between 0 and 5),
    -- Lists are in the order of their time; 0 for the other kinds.
    time integer not null,
    other text not null,
    c1 any, c2 any, c3 any, c4 any, c5 any, c6 any,
    primary key (member, kind, time, other),
    check (kind <> 0 or (c1 >= 0 and c2 >= 0 and c3 >= 0 and c4 >= 0)),
    check (kind <> 1 or (member < other and (c1 is null or (c3 is null and c4 is null))))
) strict, without rowid;

create view member as select
    member,
    c1 as connections,
    c2 as blocks,
    c3 as removal_marks,
    -- The last fact that names the member; each leads to the one before. 0 for none.
    c4 as last_fact
from of_member where kind = 0 and time = 0 and other = '';

-- The truth about two members; what nothing holds between has no row. It lies with the lower one.
create view pair as select
    member as low,
    other as high,
    c1 as connect_time,
    c2 as invitation_id,
    c3 as blocked_by_low_time,
    c4 as blocked_by_high_time,
    c5 as removed_by_low_time,
    c6 as removed_by_high_time
from of_member where kind = 1 and time = 0;

-- Finds a pair by its higher member.
create view pair_of_high as select member as high, other as low from of_member where kind = 2 and time = 0;

-- The next three follow from `pair`: lists of one member, each in the order of its time.
create view connection as select member, time as connect_time, other from of_member where kind = 3;
create view block as select member, time as block_time, other from of_member where kind = 4;
create view removal_mark as select member, time as removed_time, other from of_member where kind = 5;
create index removal_mark_by_time on of_member (time) where kind = 5;

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

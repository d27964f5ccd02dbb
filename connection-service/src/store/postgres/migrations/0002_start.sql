-- Times are milliseconds since the Unix epoch, UTC; positions count the facts 1, 2, 3, … in the order of commits. `lane` is the lane of the
-- member whose row it is, or of the lower member of a pair; 0 for what there is one of. Texts are compared byte for byte, as the program does.

alter table head
    add column acknowledged bigint not null default 0,   -- up to here invitation-service has stored the facts
    add column pruned bigint not null default 0,         -- up to here facts have been forgotten
    add column cards bigint not null default 0;          -- the number of the last change of a card

create table member (
    lane integer not null,
    member text collate "C" not null,
    version bigint not null,
    connections integer not null check (connections >= 0),
    blocks integer not null check (blocks >= 0),
    removal_marks integer not null check (removal_marks >= 0),
    last_fact bigint not null check (last_fact >= 0),    -- the last fact that names the member; each leads to the one before. 0 for none
    primary key (lane, member)
) with (fillfactor = 70);

-- The truth about two members (low < high, byte for byte); what nothing holds between has no row.
create table pair (
    lane integer not null,
    low text collate "C" not null,
    high text collate "C" not null,
    version bigint not null,
    connect_time bigint,
    invitation_id uuid,
    blocked_by_low_time bigint,
    blocked_by_high_time bigint,
    removed_by_low_time bigint,
    removed_by_high_time bigint,
    primary key (lane, low, high),
    check (low < high),
    check (connect_time is null or (blocked_by_low_time is null and blocked_by_high_time is null))
);
-- Finds a pair by its higher member: in any lane, for its lane is the lower one's.
create index pair_of_high on pair (lane, high, low);

-- The next three follow from `pair`: lists of one member, each in the order of its time.
create table connection (
    lane integer not null,
    member text collate "C" not null,
    connect_time bigint not null,
    other text collate "C" not null,
    primary key (lane, member, connect_time, other)
);
create table block (
    lane integer not null,
    member text collate "C" not null,
    block_time bigint not null,
    other text collate "C" not null,
    primary key (lane, member, block_time, other)
);
create table removal_mark (
    lane integer not null,
    member text collate "C" not null,
    removed_time bigint not null,
    other text collate "C" not null,
    primary key (lane, member, removed_time, other)
);
create index removal_mark_by_time on removal_mark (lane, removed_time);

-- What became of the latest acceptance of each invitation, whose id gives the lane. Names no member.
create table verdict (
    lane integer not null,
    invitation_id uuid not null,
    number integer not null check (number > 0),
    verdict smallint not null check (verdict between 1 and 7), -- 1 created, 2 already, 3 the acceptor full, 4 the inviter full, 5 removed, 6 blocked, 7 erased
    connect_time bigint,                                 -- for 1 and 2
    position bigint not null,
    decide_time bigint not null,
    primary key (lane, invitation_id),
    check ((connect_time is not null) = (verdict in (1, 2)))
);
create index verdict_by_time on verdict (lane, decide_time, position);

-- The feed, in the order of commits, in one lane. Each member's facts are a list linked backwards from the member's row.
create table fact (
    lane integer not null check (lane = 0),
    position bigint not null,
    time bigint not null,
    kind smallint not null check (kind between 1 and 6), -- 1 connected, 2 removed, 3 blocked, 4 unblocked, 5 severed by an erasure, 6 erased
    low text collate "C",                                -- the pair; for 6 `low` alone. Null: erased since
    high text collate "C",
    connection smallint not null check (connection between 0 and 2), -- 1 connected from there on, 2 this ended the connection, 0 neither
    connect_time bigint,                                 -- of that connection
    invitation_id uuid,
    blocked_by_low boolean not null,
    blocked_by_high boolean not null,
    blank boolean not null,                              -- named somebody who was erased, and has lost its content
    previous_low bigint not null,                        -- the fact before this one that names the lower (the erased), the higher member; 0 for none
    previous_high bigint not null,
    primary key (lane, position)
);

-- Keyed hashes of ids that are never used again, each of which gives its lane, with the position of the fact of the erasure.
create table erased (
    lane integer not null,
    hash bytea not null,
    position bigint not null,
    primary key (lane, hash)
);

-- Erasures that are not complete.
create table erasure (
    lane integer not null,
    member text collate "C" not null,
    position bigint not null,
    last_fact bigint not null,
    stage smallint not null check (stage between 1 and 3), -- 1 severing, 2 awaiting acknowledgement, 3 blanking
    next bigint not null,                                -- for 3: the next fact to blank
    primary key (lane, member)
);
create index erasure_by_stage on erasure (lane, stage, position);

-- Now and then, what was acknowledged: to know when the facts of a verdict were.
create table acknowledgement (
    lane integer not null check (lane = 0),
    time bigint not null,
    position bigint not null,
    primary key (lane, time)
);

-- Members' cards: what a trusted service put of them, and what follows from it.
create table card (
    lane integer not null,
    member text collate "C" not null,
    first_name text not null,
    last_name text not null,
    headline text not null,
    by_first_name text collate "C" not null,             -- what lists by name are sorted by, folded; empty without a name
    by_last_name text collate "C" not null,
    words text not null,                                 -- what a search looks at, folded; each word with a character before it that says whether it touches the one before
    change bigint not null check (change > 0),           -- the number of the change that wrote it
    primary key (lane, member)
);
create index card_by_change on card (lane, change);

-- What is counted of a member's labels and notes. Who never wrote any has no row.
create table notebook (
    lane integer not null,
    member text collate "C" not null,
    annotations integer not null check (annotations >= 0),
    labels integer not null check (labels >= 0),
    last_label integer not null check (last_label >= labels), -- the number of the label that was made last; a number is never given twice
    primary key (lane, member)
);

-- A label's text stands here alone, so renaming it changes one row.
create table label (
    lane integer not null,
    member text collate "C" not null,
    id integer not null check (id > 0),
    text text collate "C" not null check (text <> ''),
    connections integer not null check (connections >= 0),
    primary key (lane, member, id)
);
create unique index label_by_text on label (lane, member, text);

-- What one side has noted about the connection of that time.
create table annotation (
    lane integer not null,
    member text collate "C" not null,
    connect_time bigint not null,
    other text collate "C" not null,
    labels bytea not null check (length(labels) % 4 = 0), -- their numbers, each in four bytes, big-endian, ascending; those of deleted labels may be among them
    note text check (note <> ''),                        -- null for none
    primary key (lane, member, connect_time, other),
    check (length(labels) > 0 or note is not null)
);

-- The connections that have a label, in the order of time. Follows from `annotation`.
create table labelled (
    lane integer not null,
    member text collate "C" not null,
    label integer not null,
    connect_time bigint not null,
    other text collate "C" not null,
    primary key (lane, member, label, connect_time, other)
);

-- Deleted labels that connections still have.
create table dropped_label (
    lane integer not null,
    member text collate "C" not null,
    id integer not null,
    primary key (lane, member, id)
);

-- Whom a member does not want suggested. Bounded for each member.
create table dismissal (
    lane integer not null,
    member text collate "C" not null,
    other text collate "C" not null,
    time bigint not null,
    primary key (lane, member, other),
    check (member <> other)
);
-- Finds a member's oldest.
create index dismissal_by_time on dismissal (lane, member, time);
-- Finds those who have dismissed somebody who is erased.
create index dismissal_of on dismissal (lane, other);

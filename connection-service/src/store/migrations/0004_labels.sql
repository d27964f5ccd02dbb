-- What members note about their connections: labels and private notes. Each row is one side's, and hangs on the connection of that time.

-- What is counted of a member's labels and notes. Who never wrote any has no row, and pays one look for it.
create table notebook (
    member text primary key,
    -- Connections that something is noted about.
    annotations integer not null check (annotations >= 0),
    labels integer not null check (labels >= 0),
    -- The number of the label that was made last; a number is never given twice.
    last_label integer not null check (last_label >= labels)
) strict, without rowid;

-- A label's text stands here alone, so renaming it changes one row.
create table label (
    member text not null,
    id integer not null check (id > 0),
    text text not null check (text <> ''),
    -- How many connections have it.
    connections integer not null check (connections >= 0),
    primary key (member, id)
) strict, without rowid;
create unique index label_by_text on label (member, text);

-- In the order of connections, as lists are read.
create table annotation (
    member text not null,
    connect_time integer not null,
    other text not null,
    -- The numbers of the labels, each in four bytes, big-endian, in ascending order. Those of deleted labels may be among them.
    labels blob not null check (length(labels) % 4 = 0),
    -- Null for none.
    note text check (note <> ''),
    primary key (member, connect_time, other),
    check (length(labels) > 0 or note is not null)
) strict, without rowid;

-- The connections that have a label, in the order of time. Follows from `annotation`.
create table labelled (
    member text not null,
    label integer not null,
    connect_time integer not null,
    other text not null,
    primary key (member, label, connect_time, other)
) strict, without rowid;

-- Deleted labels that connections still have.
create table dropped_label (
    member text not null,
    id integer not null,
    primary key (member, id)
) strict, without rowid;

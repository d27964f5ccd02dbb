-- Members' cards: what a trusted service put of them, and what follows from it.

create table card (
    member text primary key,
    first_name text not null,
    last_name text not null,
    headline text not null,
    -- What lists by name are sorted by, folded; empty without a name.
    by_first_name text not null,
    by_last_name text not null,
    -- The words that a search looks at, folded; each with a character before it that says whether it touches the one before.
    words text not null,
    -- The number of the change that wrote it: whoever keeps what they read of cards finds by it what has changed since.
    change integer not null check (change > 0)
) strict, without rowid;
create index card_by_change on card (change);

-- The last number of a change of cards; one row. It never goes back, also when the card that had it is gone.
create table card_change (
    one integer primary key check (one = 1),
    last integer not null check (last >= 0)
) strict;
insert into card_change (one, last) values (1, 0);

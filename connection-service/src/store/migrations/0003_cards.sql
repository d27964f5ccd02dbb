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
    words text not null
) strict, without rowid;

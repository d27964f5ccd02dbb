-- Whom a member does not want suggested. Bounded for each member.
create table dismissal (
    member text not null,
    other text not null,
    time integer not null,
    primary key (member, other),
    check (member <> other)
) strict, without rowid;
-- Finds a member's oldest.
create index dismissal_by_time on dismissal (member, time);
-- Finds those who have dismissed somebody who is erased.
create index dismissal_of on dismissal (other);

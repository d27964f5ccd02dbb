-- The oldest verdicts are looked for all the time, in the order of their positions where their times are the same.
drop index verdict_by_time;
create index verdict_by_age on verdict (decide_time, position);

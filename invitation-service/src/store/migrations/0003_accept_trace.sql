-- The trace of the request that accepted, until the verdict: whoever sees the acceptance through continues it. Ids and a flag, 25 bytes.
alter table pair add column accept_trace blob;

-- The request that a job came from, so that its logs can be followed through every service.
-- Null for what nobody asked for just then: jobs from before this column.

alter table jobs add column request_id text;

-- Jobs. The row is the truth; a queue only carries its id, and can be lost without losing work.

create table jobs (
    id text primary key,
    username text not null
        constraint jobs_username_fkey references friends (username) on delete cascade,
    track_id text,
    kind text not null check (kind in ('analyze', 'download', 'scan')),
    state text not null default 'waiting'
        check (state in ('waiting', 'active', 'completed', 'failed', 'cancelled')),
    payload jsonb not null,
    attempts integer not null default 0,
    -- How many of the attempts were made before a person asked for another try.
    tries_before integer not null default 0,
    -- Asked for again while under way, as when a file changes during its analysis.
    rerun boolean not null default false,
    progress real not null default 0,
    stage text not null default '',
    error_code text,
    error text,
    result jsonb,
    run_after timestamptz not null default now(),
    enqueued_at timestamptz,
    heartbeat_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    finished_at timestamptz,
    foreign key (username, track_id) references tracks (username, track_id) on delete cascade
);

-- The same work is not queued twice: one open job of a kind for a track.
create unique index jobs_one_open on jobs (username, kind, track_id)
    where state in ('waiting', 'active') and track_id is not null;
create unique index jobs_one_open_scan on jobs (username, (payload ->> 'path'))
    where state in ('waiting', 'active') and kind = 'scan';
create index jobs_listing on jobs (username, created_at desc, id desc);
create index jobs_due on jobs (run_after) where state = 'waiting';
create index jobs_alive on jobs (heartbeat_at) where state = 'active';

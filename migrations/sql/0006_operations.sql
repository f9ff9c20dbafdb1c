-- Operating the jobs: more kinds, an order of urgency, limits by host, batches, pushes, workers; and covers.

alter table jobs drop constraint jobs_kind_check;
alter table jobs add constraint jobs_kind_check check (kind in (
    'analyze', 'download', 'scan', 'fix-duration', 'extract-cover-art', 'extract-cover-art-album', 'reanalyze'
));

alter table jobs
    -- The lower runs first: 0 a person waits, 10 a batch.
    add column priority smallint not null default 0,
    -- Where a download comes from, for the limits by host.
    add column host text,
    add column started_at timestamptz,
    add column batch_id text references jobs (id) on delete set null;

create index jobs_host on jobs (host, started_at) where host is not null;
create index jobs_batch on jobs (batch_id, state) where batch_id is not null;
drop index jobs_due;
create index jobs_due on jobs (priority, run_after) where state = 'waiting';
create unique index jobs_one_open_reanalysis on jobs (username)
    where state in ('waiting', 'active') and kind = 'reanalyze';

-- Below the audio folder.
alter table tracks add column cover_path text;

-- Which job a raw push became. The same wish has the same id; identity tells a push that was delivered
-- again from a new one of the same wish.
create table pushes (
    id text primary key,
    identity text not null,
    job_id text not null references jobs (id) on delete cascade,
    pushed_at timestamptz not null default now()
);

insert into pushes (id, identity, job_id) select id, '', id from jobs where id like 'push-%';

create index pushes_job on pushes (job_id);

-- What each worker last said of itself. It may be emptied at any time.
create table workers (
    name text primary key,
    report jsonb not null,
    seen_at timestamptz not null default now()
);

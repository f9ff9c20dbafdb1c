-- Getting audio: how far a file is, what was tried, what a search found, and what a recording sounds like.

alter table jobs
    add column bytes_done bigint,
    add column bytes_total bigint,
    add column bytes_per_second real,
    -- Sources that gave no file in the last attempt, and why: [{source, code, detail, transient}].
    add column tried jsonb not null default '[]';

-- Finds that are not surely the track. A refused one stays, so that it is not offered again.
create table review_candidates (
    id bigint generated always as identity primary key,
    username text not null,
    track_id text not null,
    url text not null,
    title text not null,
    uploader text not null default '',
    duration_seconds double precision,
    score real not null,
    reasons text[] not null default '{}',
    state text not null default 'waiting' check (state in ('waiting', 'accepted', 'rejected')),
    found_at timestamptz not null default now(),
    decided_at timestamptz,
    constraint review_candidates_once unique (username, track_id, url),
    foreign key (username, track_id) references tracks (username, track_id) on delete cascade
);

create index review_candidates_listing on review_candidates (username, state, score desc, id);

-- Chromaprint's items of a track's file, 32 bits each, the first least significant byte first.
create table track_fingerprints (
    id integer generated always as identity unique,
    username text not null,
    track_id text not null,
    items bytea not null,
    duration_seconds double precision not null,
    taken_at timestamptz not null default now(),
    primary key (username, track_id),
    foreign key (username, track_id) references tracks (username, track_id) on delete cascade
);

-- A sample of them by which alike ones are found. An array with && would compare every row's with every
-- question's: 2 ms a track.
create table fingerprint_keys (
    key integer not null,
    fingerprint_id integer not null references track_fingerprints (id) on delete cascade,
    primary key (key, fingerprint_id)
);

create index fingerprint_keys_of on fingerprint_keys (fingerprint_id);

create table download_preferences (
    username text primary key
        constraint download_preferences_username_fkey references friends (username) on delete cascade,
    sources text[] not null,
    format text,
    write_tags boolean not null default false,
    updated_at timestamptz not null default now()
);

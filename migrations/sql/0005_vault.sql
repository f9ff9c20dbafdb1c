-- What keeps the collection safe: checksums of audio files, and answers that are given again.

-- The content of each file that was read through once. A row counts only while the file has this ETag
-- (size and time of change), so it is a cache: nothing is lost with it but the time to read files again.
create table audio_checksums (
    audio_path text primary key,
    etag text not null,
    sha256 text not null
);

-- A creating request that named a key, and its answer once there is one. A row without an answer is of a
-- request under way, or of one that a crash cut off: nobody knows what came of it, so it is not done again.
create table idempotency_keys (
    key text primary key,
    request_hash text not null,
    status smallint,
    headers jsonb,
    body bytea,
    created_at timestamptz not null default now()
);

create index idempotency_keys_age on idempotency_keys (created_at);

-- The collection: whose it is, its tracks, what was measured, what a person corrected, playlists.

create extension if not exists vector;
create extension if not exists pg_trgm;
create extension if not exists fuzzystrmatch;
create extension if not exists unaccent;

-- Text as search compares it: without case, accents or punctuation. Declared immutable, which
-- unaccent() itself is not, so that it can stand in generated columns; its dictionary is never changed.
create function dj_fold(value text) returns text
    language sql immutable strict parallel safe
    as $$
        select trim(regexp_replace(lower(public.unaccent('public.unaccent', value)), '[^[:alnum:]]+', ' ', 'g'))
    $$;

create table friends (
    id bigint generated always as identity primary key,
    username text not null constraint friends_username_key unique
        constraint friends_username_form check (username ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'),
    created_at timestamptz not null default now()
);

create table tracks (
    username text not null
        constraint tracks_username_fkey references friends (username) on delete cascade,
    track_id text not null,
    title text not null,
    artist text not null default '',
    album text not null default '',
    year integer,
    genres text[] not null default '{}',
    styles text[] not null default '{}',
    local_tags text[] not null default '{}',
    position text,
    duration_seconds double precision,
    -- The effective values: a correction, or else what was measured, or else what the tags say.
    bpm double precision,
    key text,
    energy double precision,
    danceability double precision,
    mood_happy double precision,
    mood_sad double precision,
    mood_relaxed double precision,
    mood_aggressive double precision,
    notes text,
    star_rating smallint,
    discogs_url text,
    apple_music_url text,
    spotify_url text,
    youtube_url text,
    soundcloud_url text,
    album_thumbnail text,
    release_id text,
    library_identifier text,
    -- Relative: below the audio folder. Absolute: read in place from a music folder.
    audio_path text,
    audio_size bigint,
    audio_mtime_ns bigint,
    analyzed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz,
    folded text not null generated always as (dj_fold(title || ' ' || artist || ' ' || album)) stored,
    words tsvector not null
        generated always as (to_tsvector('simple', dj_fold(title || ' ' || artist || ' ' || album))) stored,
    primary key (username, track_id)
);

create index tracks_added on tracks (username, created_at, track_id) where deleted_at is null;
create index tracks_title on tracks (username, dj_fold(title), track_id) where deleted_at is null;
create index tracks_artist on tracks (username, dj_fold(artist), track_id) where deleted_at is null;
create index tracks_bpm on tracks (username, bpm, track_id) where deleted_at is null;
create index tracks_words on tracks using gin (words);
create index tracks_folded on tracks using gin (folded gin_trgm_ops);
create unique index tracks_audio_path on tracks (username, audio_path) where audio_path is not null;

create table track_analysis (
    username text not null,
    track_id text not null,
    engine_version text not null,
    result jsonb not null,
    analyzed_at timestamptz not null default now(),
    primary key (username, track_id, engine_version),
    foreign key (username, track_id) references tracks (username, track_id) on delete cascade
);

create table track_corrections (
    username text not null,
    track_id text not null,
    field text not null,
    value jsonb not null,
    corrected_at timestamptz not null default now(),
    primary key (username, track_id, field),
    foreign key (username, track_id) references tracks (username, track_id) on delete cascade
);

create table playlists (
    id bigint generated always as identity primary key,
    username text not null
        constraint playlists_username_fkey references friends (username) on delete cascade,
    name text not null,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    unique (id, username)
);

create index playlists_owner on playlists (username, id);

-- The owner stands in both foreign keys, so a playlist cannot hold another collection's track.
create table playlist_tracks (
    playlist_id bigint not null,
    position integer not null check (position >= 1),
    username text not null,
    track_id text not null,
    primary key (playlist_id, position),
    constraint playlist_tracks_once unique (playlist_id, track_id),
    constraint playlist_tracks_playlist_fkey
        foreign key (playlist_id, username) references playlists (id, username) on delete cascade,
    constraint playlist_tracks_track_fkey
        foreign key (username, track_id) references tracks (username, track_id) on delete cascade
);

create index playlist_tracks_track on playlist_tracks (username, track_id);

-- The collection by sound and by meaning, albums, saved filters, what was played, and merged duplicates.

-- One recording under two ids is found by this: artist and title without case, accents, punctuation, or
-- the "(Original Mix)" that shops put behind a title.
alter table tracks add column recording text not null generated always as (
    -- No longer than an index takes, in any script.
    left(dj_fold(artist) || ' / ' || regexp_replace(dj_fold(title), ' original( (mix|version))?$', ''), 500)
) stored;

create index tracks_recording on tracks (username, recording) where deleted_at is null;
create index tracks_trash on tracks (username, deleted_at) where deleted_at is not null;
create index tracks_release on tracks (username, release_id) where release_id is not null;

-- How a track sounds (audio) and what is written about it (text). One of each kind: a new model replaces
-- what an older one said. Only vectors of one model are ever compared.
create table track_embeddings (
    username text not null,
    track_id text not null,
    kind text not null check (kind in ('text', 'audio')),
    model text not null,
    dims integer not null,
    -- What the vector was made from, so that a text is not embedded twice. Null for audio.
    made_from text,
    -- Null when the model has nothing to say, as of words that it does not know.
    embedding vector,
    made_at timestamptz not null default now(),
    primary key (username, track_id, kind),
    foreign key (username, track_id) references tracks (username, track_id) on delete cascade,
    constraint track_embeddings_dims check (embedding is null or vector_dims(embedding) = dims)
);

-- In the row itself, where a scan finds it without a second read; a vector does not compress anyway.
alter table track_embeddings alter column embedding set storage plain;
-- The nearest of one model are looked for in an index of that model alone, which the gateway makes when
-- there are tracks enough for it to pay (features/embeddings/store.py).

-- Tracks whose text is to be embedded. A trigger writes it, so that no change is missed; the number tells
-- a change that comes while the older text is being embedded.
create table text_embeddings_due (
    username text not null,
    track_id text not null,
    change bigint generated always as identity,
    primary key (username, track_id),
    foreign key (username, track_id) references tracks (username, track_id) on delete cascade
);

create index text_embeddings_due_order on text_embeddings_due (change);

create function dj_text_is_new() returns trigger
    language plpgsql as $$
begin
    insert into public.text_embeddings_due (username, track_id) select username, track_id from new_rows
    on conflict (username, track_id) do update set change = default;
    return null;
end $$;

create function dj_text_may_have_changed() returns trigger
    language plpgsql as $$
begin
    insert into public.text_embeddings_due (username, track_id)
    select n.username, n.track_id from new_rows n join old_rows o using (username, track_id)
    where (n.title, n.artist, n.album, n.year, n.genres, n.styles, n.local_tags, n.notes, n.bpm, n.energy,
           n.mood_happy, n.mood_sad, n.mood_relaxed, n.mood_aggressive)
       is distinct from
          (o.title, o.artist, o.album, o.year, o.genres, o.styles, o.local_tags, o.notes, o.bpm, o.energy,
           o.mood_happy, o.mood_sad, o.mood_relaxed, o.mood_aggressive)
    on conflict (username, track_id) do update set change = default;
    return null;
end $$;

create trigger tracks_text_is_new after insert on tracks
    referencing new table as new_rows for each statement execute function dj_text_is_new();
create trigger tracks_text_may_have_changed after update on tracks
    referencing old table as old_rows new table as new_rows
    for each statement execute function dj_text_may_have_changed();

insert into text_embeddings_due (username, track_id) select username, track_id from tracks;

-- Albums. Every release that a track names has a row, which a trigger makes; a person or an import fills it.
create table albums (
    username text not null
        constraint albums_username_fkey references friends (username) on delete cascade,
    release_id text not null,
    title text not null default '',
    artist text not null default '',
    label text not null default '',
    catalog_number text not null default '',
    format text not null default '',
    country text not null default '',
    year integer,
    thumbnail text,
    discogs_url text,
    library_identifier text,
    notes text,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (username, release_id)
);

create index albums_title on albums (username, dj_fold(title), release_id);

create function dj_release_has_album() returns trigger
    language plpgsql as $$
begin
    insert into public.albums (username, release_id, title, artist, year, thumbnail, library_identifier)
    values (new.username, new.release_id, new.album, new.artist, new.year, new.album_thumbnail,
            new.library_identifier)
    on conflict (username, release_id) do nothing;
    return null;
end $$;

create trigger tracks_release_has_album after insert or update of release_id on tracks
    for each row when (new.release_id is not null) execute function dj_release_has_album();

insert into albums (username, release_id, title, artist, year, thumbnail, library_identifier)
select distinct on (username, release_id)
    username, release_id, album, artist, year, album_thumbnail, library_identifier
from tracks where release_id is not null order by username, release_id, created_at;

create table smart_playlists (
    id bigint generated always as identity primary key,
    username text not null
        constraint smart_playlists_username_fkey references friends (username) on delete cascade,
    name text not null,
    filter jsonb not null,
    sort text not null,
    descending boolean not null default false,
    most integer,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

create index smart_playlists_owner on smart_playlists (username, id);

-- What was played: a night is a session.
create table play_sessions (
    id bigint generated always as identity primary key,
    username text not null
        constraint play_sessions_username_fkey references friends (username) on delete cascade,
    name text not null,
    started_at timestamptz not null default now(),
    unique (id, username)
);

create index play_sessions_owner on play_sessions (username, started_at desc, id desc);

create table plays (
    id bigint generated always as identity primary key,
    username text not null,
    track_id text not null,
    session_id bigint,
    played_at timestamptz not null default now(),
    -- The same play told twice, as by a client that heard no answer, is one play.
    constraint plays_once unique (username, track_id, played_at),
    constraint plays_track_fkey
        foreign key (username, track_id) references tracks (username, track_id) on delete cascade,
    constraint plays_session_fkey
        foreign key (session_id, username) references play_sessions (id, username) on delete cascade
);

create index plays_latest on plays (username, played_at desc, id desc);
create index plays_session on plays (session_id, username);

-- Duplicates that were made one, with what is needed to take it back.
create table track_merges (
    id bigint generated always as identity primary key,
    username text not null
        constraint track_merges_username_fkey references friends (username) on delete cascade,
    kept text not null,
    dropped text[] not null,
    undo jsonb not null,
    merged_at timestamptz not null default now(),
    undone_at timestamptz
);

create index track_merges_owner on track_merges (username, id desc);

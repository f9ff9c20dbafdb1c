-- Search: filters on many-valued texts, the words of a collection for near spellings, and the outbox
-- that feeds the search engine.

-- For indexes of words with the owner in them, so that nobody's search reads the rows of others.
create extension if not exists btree_gin;

create function dj_fold_all(texts text[]) returns text[]
    language sql immutable strict parallel safe
    as $$
        select coalesce(array_agg(distinct folded), '{}')
        from (select public.dj_fold(one) as folded from unnest(texts) as one) each
        where folded <> ''
    $$;

alter table tracks
    add column genre_words text[] not null generated always as (dj_fold_all(genres || styles)) stored,
    add column style_words text[] not null generated always as (dj_fold_all(styles)) stored,
    add column tag_words text[] not null generated always as (dj_fold_all(local_tags)) stored;

-- A word of the title weighs more than one of the artist, and that more than one of the album.
alter table tracks drop column words;
alter table tracks add column words tsvector not null generated always as (
    setweight(to_tsvector('simple', dj_fold(title)), 'A')
    || setweight(to_tsvector('simple', dj_fold(artist)), 'B')
    || setweight(to_tsvector('simple', dj_fold(album)), 'C')
) stored;
create index tracks_words on tracks using gin (username, words);
-- Near spellings are found in search_words now.
drop index tracks_folded;

create index tracks_genre_words on tracks using gin (username, genre_words);
create index tracks_tag_words on tracks using gin (username, tag_words);
create index tracks_album on tracks (username, dj_fold(album)) where deleted_at is null;
create index tracks_shelf on tracks (username, dj_fold(library_identifier)) where library_identifier is not null;

-- Every word that stands in some track, or once stood there: a near spelling is looked for among
-- thousands of words instead of a hundred thousand tracks. Without a unique constraint on purpose: two
-- transactions that bring the same new words must not wait for each other, and a word that is here twice,
-- or that no track has any more, does no harm.
create table search_words (
    word text collate "C" not null
);

create index search_words_beginning on search_words (word);
create index search_words_ending on search_words (reverse(word));

-- A track that changed since the index was told. The change and its entry are one transaction, and the
-- triggers below write it, so no statement, of ours or of a person at the database, can forget it.
create table search_outbox (
    seq bigint generated always as identity primary key,
    username text not null,
    track_id text not null,
    created_at timestamptz not null default now()
);

-- The index that the outbox feeds. While there is no row, no engine is in use and no entry is written.
create table search_indexes (
    name text primary key,
    -- The build that answers, as the engine's own marker names it; null before the first.
    build text,
    fingerprint text,
    built_at timestamptz,
    -- The build that is under way beside it, and the last track that it has.
    next_build text,
    next_fingerprint text,
    next_since timestamptz,
    next_username text,
    next_track_id text
);

-- One function for each event, for a statement that brings one row pays for every call.
create function dj_tracks_inserted() returns trigger language plpgsql as $$
begin
    insert into public.search_words (word)
    select found.word
    from (select distinct left(w.word, 100) collate "C" as word
          from changed_rows n, unnest(string_to_array(n.folded, ' ')) as w (word)) found
    where found.word <> '' and not exists (select from public.search_words k where k.word = found.word);
    if exists (select from public.search_indexes) then
        insert into public.search_outbox (username, track_id) select username, track_id from changed_rows;
    end if;
    return null;
end
$$;

create function dj_tracks_updated() returns trigger language plpgsql as $$
begin
    insert into public.search_words (word)
    select found.word
    from (select distinct left(w.word, 100) collate "C" as word
          from new_rows n left join old_rows o using (username, track_id),
               unnest(string_to_array(n.folded, ' ')) as w (word)
          where n.folded is distinct from o.folded) found
    where found.word <> '' and not exists (select from public.search_words k where k.word = found.word);
    if exists (select from public.search_indexes) then
        insert into public.search_outbox (username, track_id)
        select username, track_id from old_rows union select username, track_id from new_rows;
    end if;
    return null;
end
$$;

create function dj_tracks_noted() returns trigger language plpgsql as $$
begin
    if exists (select from public.search_indexes) then
        insert into public.search_outbox (username, track_id)
        select distinct username, track_id from changed_rows;
    end if;
    return null;
end
$$;

create function dj_tracks_moved() returns trigger language plpgsql as $$
begin
    if exists (select from public.search_indexes) then
        insert into public.search_outbox (username, track_id)
        select username, track_id from old_rows union select username, track_id from new_rows;
    end if;
    return null;
end
$$;

create trigger tracks_inserted after insert on tracks
    referencing new table as changed_rows for each statement execute function dj_tracks_inserted();
create trigger tracks_updated after update on tracks
    referencing old table as old_rows new table as new_rows for each statement execute function dj_tracks_updated();
create trigger tracks_deleted after delete on tracks
    referencing old table as changed_rows for each statement execute function dj_tracks_noted();

-- Which playlists a track is in can be filtered by, so a change there is a change of the track.
create trigger playlist_tracks_inserted after insert on playlist_tracks
    referencing new table as changed_rows for each statement execute function dj_tracks_noted();
create trigger playlist_tracks_deleted after delete on playlist_tracks
    referencing old table as changed_rows for each statement execute function dj_tracks_noted();
create trigger playlist_tracks_updated after update on playlist_tracks
    referencing old table as old_rows new table as new_rows for each statement execute function dj_tracks_moved();

insert into search_words (word)
select distinct left(w.word, 100) from tracks t, unnest(string_to_array(t.folded, ' ')) as w (word)
where w.word <> '';

-- Who types "house" may mean the genre: its words are looked for too, and weigh least.
create function dj_fold_words(texts text[]) returns text
    language sql immutable strict parallel safe
    as $$ select coalesce(string_agg(distinct public.dj_fold(one), ' '), '') from unnest(texts) as one $$;

alter table tracks drop column words;
alter table tracks add column words tsvector not null generated always as (
    setweight(to_tsvector('simple', dj_fold(title)), 'A')
    || setweight(to_tsvector('simple', dj_fold(artist)), 'B')
    || setweight(to_tsvector('simple', dj_fold(album)), 'C')
    || setweight(to_tsvector('simple', dj_fold_words(genres || styles)), 'D')
) stored;

create or replace function dj_tracks_inserted() returns trigger language plpgsql as $$
begin
    insert into public.search_words (word)
    select found.word
    from (select distinct left(w.word, 100) collate "C" as word
          from changed_rows n,
               unnest(string_to_array(n.folded || ' ' || public.dj_fold_words(n.genres || n.styles), ' ')) as w (word)
         ) found
    where found.word <> '' and not exists (select from public.search_words k where k.word = found.word);
    if exists (select from public.search_indexes) then
        insert into public.search_outbox (username, track_id) select username, track_id from changed_rows;
    end if;
    return null;
end
$$;

create or replace function dj_tracks_updated() returns trigger language plpgsql as $$
begin
    insert into public.search_words (word)
    select found.word
    from (select distinct left(w.word, 100) collate "C" as word
          from new_rows n left join old_rows o using (username, track_id),
               unnest(string_to_array(n.folded || ' ' || public.dj_fold_words(n.genres || n.styles), ' ')) as w (word)
          where (n.folded, n.genres, n.styles) is distinct from (o.folded, o.genres, o.styles)) found
    where found.word <> '' and not exists (select from public.search_words k where k.word = found.word);
    if exists (select from public.search_indexes) then
        insert into public.search_outbox (username, track_id)
        select username, track_id from old_rows union select username, track_id from new_rows;
    end if;
    return null;
end
$$;

insert into search_words (word)
select distinct left(w.word, 100)
from tracks t, unnest(string_to_array(dj_fold_words(t.genres || t.styles), ' ')) as w (word)
where w.word <> '' and not exists (select from search_words k where k.word = left(w.word, 100) collate "C");

-- What is newly written waits in a list that each search reads from end to end: at its default of 4 MB that cost
-- more than the rest of the search, from an import until the next vacuum.
create index tracks_words on tracks using gin (username, words) with (gin_pending_list_limit = 64);
alter index tracks_genre_words set (gin_pending_list_limit = 64);
alter index tracks_tag_words set (gin_pending_list_limit = 64);

-- So that two tabs that edit a session do not write over each other.
alter table play_sessions add column updated_at timestamptz not null default now();

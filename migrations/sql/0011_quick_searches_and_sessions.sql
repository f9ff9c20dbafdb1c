-- What is newly written waits in a list that each search reads from end to end: at its default of 4 MB that cost
-- more than the rest of the search, from an import until the next vacuum.
alter index tracks_words set (gin_pending_list_limit = 64);
alter index tracks_genre_words set (gin_pending_list_limit = 64);
alter index tracks_tag_words set (gin_pending_list_limit = 64);

-- The indexes of vectors are at half precision now: the gateway makes them anew, these would only take room.
do $$
declare
    old text;
begin
    for old in
        select indexname from pg_indexes
        where tablename = 'track_embeddings' and indexname ~ '^track_embeddings_(audio|text)_[0-9a-f]{12}$'
    loop
        execute format('drop index %I', old);
    end loop;
end
$$;

-- So that two tabs that edit a session do not write over each other.
alter table play_sessions add column updated_at timestamptz not null default now();

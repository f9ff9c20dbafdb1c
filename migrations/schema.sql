CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;

COMMENT ON EXTENSION btree_gin IS 'support for indexing common datatypes in GIN';

CREATE EXTENSION IF NOT EXISTS fuzzystrmatch WITH SCHEMA public;

COMMENT ON EXTENSION fuzzystrmatch IS 'determine similarities and distance between strings';

CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public;

COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';

CREATE EXTENSION IF NOT EXISTS unaccent WITH SCHEMA public;

COMMENT ON EXTENSION unaccent IS 'text search dictionary that removes accents';

CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

COMMENT ON EXTENSION vector IS 'vector data type and ivfflat and hnsw access methods';

CREATE FUNCTION public.dj_fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        select trim(regexp_replace(lower(public.unaccent('public.unaccent', value)), '[^[:alnum:]]+', ' ', 'g'))
    $$;

CREATE FUNCTION public.dj_fold_all(texts text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
        select coalesce(array_agg(distinct folded), '{}')
        from (select public.dj_fold(one) as folded from unnest(texts) as one) each
        where folded <> ''
    $$;

CREATE FUNCTION public.dj_fold_words(texts text[]) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ select coalesce(string_agg(distinct public.dj_fold(one), ' '), '') from unnest(texts) as one $$;

CREATE FUNCTION public.dj_release_has_album() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into public.albums (username, release_id, title, artist, year, thumbnail, library_identifier)
    values (new.username, new.release_id, new.album, new.artist, new.year, new.album_thumbnail,
            new.library_identifier)
    on conflict (username, release_id) do nothing;
    return null;
end $$;

CREATE FUNCTION public.dj_text_is_new() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    insert into public.text_embeddings_due (username, track_id) select username, track_id from new_rows
    on conflict (username, track_id) do update set change = default;
    return null;
end $$;

CREATE FUNCTION public.dj_text_may_have_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.dj_tracks_inserted() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION public.dj_tracks_moved() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if exists (select from public.search_indexes) then
        insert into public.search_outbox (username, track_id)
        select username, track_id from old_rows union select username, track_id from new_rows;
    end if;
    return null;
end
$$;

CREATE FUNCTION public.dj_tracks_noted() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if exists (select from public.search_indexes) then
        insert into public.search_outbox (username, track_id)
        select distinct username, track_id from changed_rows;
    end if;
    return null;
end
$$;

CREATE FUNCTION public.dj_tracks_updated() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
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

CREATE TABLE public.albums (
    username text NOT NULL,
    release_id text NOT NULL,
    title text DEFAULT ''::text NOT NULL,
    artist text DEFAULT ''::text NOT NULL,
    label text DEFAULT ''::text NOT NULL,
    catalog_number text DEFAULT ''::text NOT NULL,
    format text DEFAULT ''::text NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    year integer,
    thumbnail text,
    discogs_url text,
    library_identifier text,
    notes text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.audio_checksums (
    audio_path text NOT NULL,
    etag text NOT NULL,
    sha256 text NOT NULL
);

CREATE TABLE public.download_preferences (
    username text NOT NULL,
    sources text[] NOT NULL,
    format text,
    write_tags boolean DEFAULT false NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.fingerprint_keys (
    key integer NOT NULL,
    fingerprint_id integer NOT NULL
);

CREATE TABLE public.friends (
    id bigint NOT NULL,
    username text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT friends_username_form CHECK ((username ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'::text))
);

ALTER TABLE public.friends ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.friends_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.idempotency_keys (
    key text NOT NULL,
    request_hash text NOT NULL,
    status smallint,
    headers jsonb,
    body bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.jobs (
    id text NOT NULL,
    username text NOT NULL,
    track_id text,
    kind text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    payload jsonb NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    tries_before integer DEFAULT 0 NOT NULL,
    rerun boolean DEFAULT false NOT NULL,
    progress real DEFAULT 0 NOT NULL,
    stage text DEFAULT ''::text NOT NULL,
    error_code text,
    error text,
    result jsonb,
    run_after timestamp with time zone DEFAULT now() NOT NULL,
    enqueued_at timestamp with time zone,
    heartbeat_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    bytes_done bigint,
    bytes_total bigint,
    bytes_per_second real,
    tried jsonb DEFAULT '[]'::jsonb NOT NULL,
    priority smallint DEFAULT 0 NOT NULL,
    host text,
    started_at timestamp with time zone,
    batch_id text,
    request_id text,
    CONSTRAINT jobs_kind_check CHECK ((kind = ANY (ARRAY['analyze'::text, 'download'::text, 'scan'::text, 'fix-duration'::text, 'extract-cover-art'::text, 'extract-cover-art-album'::text, 'reanalyze'::text]))),
    CONSTRAINT jobs_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'active'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])))
);

CREATE TABLE public.play_sessions (
    id bigint NOT NULL,
    username text NOT NULL,
    name text NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.play_sessions ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.play_sessions_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.playlist_tracks (
    playlist_id bigint NOT NULL,
    "position" integer NOT NULL,
    username text NOT NULL,
    track_id text NOT NULL,
    CONSTRAINT playlist_tracks_position_check CHECK (("position" >= 1))
);

CREATE TABLE public.playlists (
    id bigint NOT NULL,
    username text NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.playlists ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.playlists_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.plays (
    id bigint NOT NULL,
    username text NOT NULL,
    track_id text NOT NULL,
    session_id bigint,
    played_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.plays ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.plays_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.pushes (
    id text NOT NULL,
    identity text NOT NULL,
    job_id text NOT NULL,
    pushed_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.review_candidates (
    id bigint NOT NULL,
    username text NOT NULL,
    track_id text NOT NULL,
    url text NOT NULL,
    title text NOT NULL,
    uploader text DEFAULT ''::text NOT NULL,
    duration_seconds double precision,
    score real NOT NULL,
    reasons text[] DEFAULT '{}'::text[] NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT review_candidates_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'accepted'::text, 'rejected'::text])))
);

ALTER TABLE public.review_candidates ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.review_candidates_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.schema_migrations (
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.search_indexes (
    name text NOT NULL,
    build text,
    fingerprint text,
    built_at timestamp with time zone,
    next_build text,
    next_fingerprint text,
    next_since timestamp with time zone,
    next_username text,
    next_track_id text
);

CREATE TABLE public.search_outbox (
    seq bigint NOT NULL,
    username text NOT NULL,
    track_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.search_outbox ALTER COLUMN seq ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.search_outbox_seq_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.search_words (
    word text NOT NULL COLLATE pg_catalog."C"
);

CREATE TABLE public.smart_playlists (
    id bigint NOT NULL,
    username text NOT NULL,
    name text NOT NULL,
    filter jsonb NOT NULL,
    sort text NOT NULL,
    descending boolean DEFAULT false NOT NULL,
    most integer,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.smart_playlists ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.smart_playlists_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.text_embeddings_due (
    username text NOT NULL,
    track_id text NOT NULL,
    change bigint NOT NULL
);

ALTER TABLE public.text_embeddings_due ALTER COLUMN change ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.text_embeddings_due_change_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.track_analysis (
    username text NOT NULL,
    track_id text NOT NULL,
    engine_version text NOT NULL,
    result jsonb NOT NULL,
    analyzed_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.track_corrections (
    username text NOT NULL,
    track_id text NOT NULL,
    field text NOT NULL,
    value jsonb NOT NULL,
    corrected_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.track_embeddings (
    username text NOT NULL,
    track_id text NOT NULL,
    kind text NOT NULL,
    model text NOT NULL,
    dims integer NOT NULL,
    made_from text,
    embedding public.vector,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT track_embeddings_dims CHECK (((embedding IS NULL) OR (public.vector_dims(embedding) = dims))),
    CONSTRAINT track_embeddings_kind_check CHECK ((kind = ANY (ARRAY['text'::text, 'audio'::text])))
);
ALTER TABLE ONLY public.track_embeddings ALTER COLUMN embedding SET STORAGE PLAIN;

CREATE TABLE public.track_fingerprints (
    id integer NOT NULL,
    username text NOT NULL,
    track_id text NOT NULL,
    items bytea NOT NULL,
    duration_seconds double precision NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.track_fingerprints ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.track_fingerprints_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.track_merges (
    id bigint NOT NULL,
    username text NOT NULL,
    kept text NOT NULL,
    dropped text[] NOT NULL,
    undo jsonb NOT NULL,
    merged_at timestamp with time zone DEFAULT now() NOT NULL,
    undone_at timestamp with time zone
);

ALTER TABLE public.track_merges ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.track_merges_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.tracks (
    username text NOT NULL,
    track_id text NOT NULL,
    title text NOT NULL,
    artist text DEFAULT ''::text NOT NULL,
    album text DEFAULT ''::text NOT NULL,
    year integer,
    genres text[] DEFAULT '{}'::text[] NOT NULL,
    styles text[] DEFAULT '{}'::text[] NOT NULL,
    local_tags text[] DEFAULT '{}'::text[] NOT NULL,
    "position" text,
    duration_seconds double precision,
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
    audio_path text,
    audio_size bigint,
    audio_mtime_ns bigint,
    analyzed_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    folded text GENERATED ALWAYS AS (public.dj_fold(((((title || ' '::text) || artist) || ' '::text) || album))) STORED NOT NULL,
    genre_words text[] GENERATED ALWAYS AS (public.dj_fold_all((genres || styles))) STORED NOT NULL,
    style_words text[] GENERATED ALWAYS AS (public.dj_fold_all(styles)) STORED NOT NULL,
    tag_words text[] GENERATED ALWAYS AS (public.dj_fold_all(local_tags)) STORED NOT NULL,
    cover_path text,
    recording text GENERATED ALWAYS AS ("left"(((public.dj_fold(artist) || ' / '::text) || regexp_replace(public.dj_fold(title), ' original( (mix|version))?$'::text, ''::text)), 500)) STORED NOT NULL,
    words tsvector GENERATED ALWAYS AS ((((setweight(to_tsvector('simple'::regconfig, public.dj_fold(title)), 'A'::"char") || setweight(to_tsvector('simple'::regconfig, public.dj_fold(artist)), 'B'::"char")) || setweight(to_tsvector('simple'::regconfig, public.dj_fold(album)), 'C'::"char")) || setweight(to_tsvector('simple'::regconfig, public.dj_fold_words((genres || styles))), 'D'::"char"))) STORED NOT NULL
);

CREATE TABLE public.workers (
    name text NOT NULL,
    report jsonb NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.albums
    ADD CONSTRAINT albums_pkey PRIMARY KEY (username, release_id);

ALTER TABLE ONLY public.audio_checksums
    ADD CONSTRAINT audio_checksums_pkey PRIMARY KEY (audio_path);

ALTER TABLE ONLY public.download_preferences
    ADD CONSTRAINT download_preferences_pkey PRIMARY KEY (username);

ALTER TABLE ONLY public.fingerprint_keys
    ADD CONSTRAINT fingerprint_keys_pkey PRIMARY KEY (key, fingerprint_id);

ALTER TABLE ONLY public.friends
    ADD CONSTRAINT friends_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.friends
    ADD CONSTRAINT friends_username_key UNIQUE (username);

ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.play_sessions
    ADD CONSTRAINT play_sessions_id_username_key UNIQUE (id, username);

ALTER TABLE ONLY public.play_sessions
    ADD CONSTRAINT play_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.playlist_tracks
    ADD CONSTRAINT playlist_tracks_once UNIQUE (playlist_id, track_id);

ALTER TABLE ONLY public.playlist_tracks
    ADD CONSTRAINT playlist_tracks_pkey PRIMARY KEY (playlist_id, "position");

ALTER TABLE ONLY public.playlists
    ADD CONSTRAINT playlists_id_username_key UNIQUE (id, username);

ALTER TABLE ONLY public.playlists
    ADD CONSTRAINT playlists_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.plays
    ADD CONSTRAINT plays_once UNIQUE (username, track_id, played_at);

ALTER TABLE ONLY public.plays
    ADD CONSTRAINT plays_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.pushes
    ADD CONSTRAINT pushes_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.review_candidates
    ADD CONSTRAINT review_candidates_once UNIQUE (username, track_id, url);

ALTER TABLE ONLY public.review_candidates
    ADD CONSTRAINT review_candidates_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.search_indexes
    ADD CONSTRAINT search_indexes_pkey PRIMARY KEY (name);

ALTER TABLE ONLY public.search_outbox
    ADD CONSTRAINT search_outbox_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY public.smart_playlists
    ADD CONSTRAINT smart_playlists_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.text_embeddings_due
    ADD CONSTRAINT text_embeddings_due_pkey PRIMARY KEY (username, track_id);

ALTER TABLE ONLY public.track_analysis
    ADD CONSTRAINT track_analysis_pkey PRIMARY KEY (username, track_id, engine_version);

ALTER TABLE ONLY public.track_corrections
    ADD CONSTRAINT track_corrections_pkey PRIMARY KEY (username, track_id, field);

ALTER TABLE ONLY public.track_embeddings
    ADD CONSTRAINT track_embeddings_pkey PRIMARY KEY (username, track_id, kind);

ALTER TABLE ONLY public.track_fingerprints
    ADD CONSTRAINT track_fingerprints_id_key UNIQUE (id);

ALTER TABLE ONLY public.track_fingerprints
    ADD CONSTRAINT track_fingerprints_pkey PRIMARY KEY (username, track_id);

ALTER TABLE ONLY public.track_merges
    ADD CONSTRAINT track_merges_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tracks
    ADD CONSTRAINT tracks_pkey PRIMARY KEY (username, track_id);

ALTER TABLE ONLY public.workers
    ADD CONSTRAINT workers_pkey PRIMARY KEY (name);

CREATE INDEX albums_title ON public.albums USING btree (username, public.dj_fold(title), release_id);

CREATE INDEX fingerprint_keys_of ON public.fingerprint_keys USING btree (fingerprint_id);

CREATE INDEX idempotency_keys_age ON public.idempotency_keys USING btree (created_at);

CREATE INDEX jobs_alive ON public.jobs USING btree (heartbeat_at) WHERE (state = 'active'::text);

CREATE INDEX jobs_batch ON public.jobs USING btree (batch_id, state) WHERE (batch_id IS NOT NULL);

CREATE INDEX jobs_due ON public.jobs USING btree (priority, run_after) WHERE (state = 'waiting'::text);

CREATE INDEX jobs_host ON public.jobs USING btree (host, started_at) WHERE (host IS NOT NULL);

CREATE INDEX jobs_listing ON public.jobs USING btree (username, created_at DESC, id DESC);

CREATE UNIQUE INDEX jobs_one_open ON public.jobs USING btree (username, kind, track_id) WHERE ((state = ANY (ARRAY['waiting'::text, 'active'::text])) AND (track_id IS NOT NULL));

CREATE UNIQUE INDEX jobs_one_open_reanalysis ON public.jobs USING btree (username) WHERE ((state = ANY (ARRAY['waiting'::text, 'active'::text])) AND (kind = 'reanalyze'::text));

CREATE UNIQUE INDEX jobs_one_open_scan ON public.jobs USING btree (username, ((payload ->> 'path'::text))) WHERE ((state = ANY (ARRAY['waiting'::text, 'active'::text])) AND (kind = 'scan'::text));

CREATE INDEX play_sessions_owner ON public.play_sessions USING btree (username, started_at DESC, id DESC);

CREATE INDEX playlist_tracks_track ON public.playlist_tracks USING btree (username, track_id);

CREATE INDEX playlists_owner ON public.playlists USING btree (username, id);

CREATE INDEX plays_latest ON public.plays USING btree (username, played_at DESC, id DESC);

CREATE INDEX plays_session ON public.plays USING btree (session_id, username);

CREATE INDEX pushes_job ON public.pushes USING btree (job_id);

CREATE INDEX review_candidates_listing ON public.review_candidates USING btree (username, state, score DESC, id);

CREATE INDEX search_words_beginning ON public.search_words USING btree (word);

CREATE INDEX search_words_ending ON public.search_words USING btree (reverse(word));

CREATE INDEX smart_playlists_owner ON public.smart_playlists USING btree (username, id);

CREATE INDEX text_embeddings_due_order ON public.text_embeddings_due USING btree (change);

CREATE INDEX track_merges_owner ON public.track_merges USING btree (username, id DESC);

CREATE INDEX tracks_added ON public.tracks USING btree (username, created_at, track_id) WHERE (deleted_at IS NULL);

CREATE INDEX tracks_album ON public.tracks USING btree (username, public.dj_fold(album)) WHERE (deleted_at IS NULL);

CREATE INDEX tracks_artist ON public.tracks USING btree (username, public.dj_fold(artist), track_id) WHERE (deleted_at IS NULL);

CREATE UNIQUE INDEX tracks_audio_path ON public.tracks USING btree (username, audio_path) WHERE (audio_path IS NOT NULL);

CREATE INDEX tracks_bpm ON public.tracks USING btree (username, bpm, track_id) WHERE (deleted_at IS NULL);

CREATE INDEX tracks_energy ON public.tracks USING btree (username, energy, track_id) WHERE (deleted_at IS NULL);

CREATE INDEX tracks_genre_words ON public.tracks USING gin (username, genre_words) WITH (gin_pending_list_limit='64');

CREATE INDEX tracks_recording ON public.tracks USING btree (username, recording) WHERE (deleted_at IS NULL);

CREATE INDEX tracks_release ON public.tracks USING btree (username, release_id) WHERE (release_id IS NOT NULL);

CREATE INDEX tracks_shelf ON public.tracks USING btree (username, public.dj_fold(library_identifier)) WHERE (library_identifier IS NOT NULL);

CREATE INDEX tracks_tag_words ON public.tracks USING gin (username, tag_words) WITH (gin_pending_list_limit='64');

CREATE INDEX tracks_title ON public.tracks USING btree (username, public.dj_fold(title), track_id) WHERE (deleted_at IS NULL);

CREATE INDEX tracks_trash ON public.tracks USING btree (username, deleted_at) WHERE (deleted_at IS NOT NULL);

CREATE INDEX tracks_words ON public.tracks USING gin (username, words) WITH (gin_pending_list_limit='64');

CREATE INDEX tracks_year ON public.tracks USING btree (username, year, track_id) WHERE (deleted_at IS NULL);

CREATE TRIGGER playlist_tracks_deleted AFTER DELETE ON public.playlist_tracks REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_noted();

CREATE TRIGGER playlist_tracks_inserted AFTER INSERT ON public.playlist_tracks REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_noted();

CREATE TRIGGER playlist_tracks_updated AFTER UPDATE ON public.playlist_tracks REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_moved();

CREATE TRIGGER plays_deleted AFTER DELETE ON public.plays REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_noted();

CREATE TRIGGER plays_inserted AFTER INSERT ON public.plays REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_noted();

CREATE TRIGGER plays_updated AFTER UPDATE ON public.plays REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_moved();

CREATE TRIGGER tracks_deleted AFTER DELETE ON public.tracks REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_noted();

CREATE TRIGGER tracks_inserted AFTER INSERT ON public.tracks REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_inserted();

CREATE TRIGGER tracks_release_has_album AFTER INSERT OR UPDATE OF release_id ON public.tracks FOR EACH ROW WHEN ((new.release_id IS NOT NULL)) EXECUTE FUNCTION public.dj_release_has_album();

CREATE TRIGGER tracks_text_is_new AFTER INSERT ON public.tracks REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_text_is_new();

CREATE TRIGGER tracks_text_may_have_changed AFTER UPDATE ON public.tracks REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_text_may_have_changed();

CREATE TRIGGER tracks_updated AFTER UPDATE ON public.tracks REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION public.dj_tracks_updated();

ALTER TABLE ONLY public.albums
    ADD CONSTRAINT albums_username_fkey FOREIGN KEY (username) REFERENCES public.friends(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.download_preferences
    ADD CONSTRAINT download_preferences_username_fkey FOREIGN KEY (username) REFERENCES public.friends(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.fingerprint_keys
    ADD CONSTRAINT fingerprint_keys_fingerprint_id_fkey FOREIGN KEY (fingerprint_id) REFERENCES public.track_fingerprints(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.jobs(id) ON DELETE SET NULL;

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_username_fkey FOREIGN KEY (username) REFERENCES public.friends(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.jobs
    ADD CONSTRAINT jobs_username_track_id_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.play_sessions
    ADD CONSTRAINT play_sessions_username_fkey FOREIGN KEY (username) REFERENCES public.friends(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.playlist_tracks
    ADD CONSTRAINT playlist_tracks_playlist_fkey FOREIGN KEY (playlist_id, username) REFERENCES public.playlists(id, username) ON DELETE CASCADE;

ALTER TABLE ONLY public.playlist_tracks
    ADD CONSTRAINT playlist_tracks_track_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.playlists
    ADD CONSTRAINT playlists_username_fkey FOREIGN KEY (username) REFERENCES public.friends(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.plays
    ADD CONSTRAINT plays_session_fkey FOREIGN KEY (session_id, username) REFERENCES public.play_sessions(id, username) ON DELETE CASCADE;

ALTER TABLE ONLY public.plays
    ADD CONSTRAINT plays_track_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.pushes
    ADD CONSTRAINT pushes_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.jobs(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.review_candidates
    ADD CONSTRAINT review_candidates_username_track_id_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.smart_playlists
    ADD CONSTRAINT smart_playlists_username_fkey FOREIGN KEY (username) REFERENCES public.friends(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.text_embeddings_due
    ADD CONSTRAINT text_embeddings_due_username_track_id_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.track_analysis
    ADD CONSTRAINT track_analysis_username_track_id_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.track_corrections
    ADD CONSTRAINT track_corrections_username_track_id_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.track_embeddings
    ADD CONSTRAINT track_embeddings_username_track_id_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.track_fingerprints
    ADD CONSTRAINT track_fingerprints_username_track_id_fkey FOREIGN KEY (username, track_id) REFERENCES public.tracks(username, track_id) ON DELETE CASCADE;

ALTER TABLE ONLY public.track_merges
    ADD CONSTRAINT track_merges_username_fkey FOREIGN KEY (username) REFERENCES public.friends(username) ON DELETE CASCADE;

ALTER TABLE ONLY public.tracks
    ADD CONSTRAINT tracks_username_fkey FOREIGN KEY (username) REFERENCES public.friends(username) ON DELETE CASCADE;

-- When a track was played last, and in which sessions, can be filtered by, so a change there is a change of the
-- track for the search index.
create trigger plays_inserted after insert on plays
    referencing new table as changed_rows for each statement execute function dj_tracks_noted();
create trigger plays_deleted after delete on plays
    referencing old table as changed_rows for each statement execute function dj_tracks_noted();
create trigger plays_updated after update on plays
    referencing old table as old_rows new table as new_rows for each statement execute function dj_tracks_moved();

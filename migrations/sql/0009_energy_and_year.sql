-- Ranges of energy and of years are asked for as often as tempi, and hits can be ordered by both.
create index tracks_energy on tracks (username, energy, track_id) where deleted_at is null;
create index tracks_year on tracks (username, year, track_id) where deleted_at is null;

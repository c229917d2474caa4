-- name: begin_snapshot
-- Everything below, and pg_dump, see the database of one instant, while payments go on.
begin isolation level repeatable read read only;

-- name: export_snapshot
select pg_export_snapshot();

-- name: end_snapshot
commit;

-- name: heads
select bucket, seq from head order by bucket;

-- name: is_empty
-- A database with tables is somebody's.
select not exists (select 1 from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r');

-- name: settings
select current_setting('fsync') as fsync,
       current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('data_checksums') as data_checksums,
       current_setting('max_connections')::int as max_connections,
       current_setting('server_version') as version,
       current_user::text as role_name;

-- name: applied
select number, name, digest from migration order by number;

-- name: has_history
select to_regclass('public.migration') is not null;

-- name: instant
-- The one place that asks the database for its clock: to compare it with the machine's.
select clock_timestamp();

-- name: wrong_rights
-- What the application's role may do to rows that are never changed.
select t.name || ' ' || r.name as granted
  from unnest($1::text[]) as t (name)
  cross join unnest(array['update', 'delete', 'truncate']) as r (name)
 where to_regclass('public.' || t.name) is not null and has_table_privilege('public.' || t.name, r.name);

-- name: heads
select book, min(closed_through) as closed_through, count(*)::int as buckets from head group by book order by book;

-- name: lag
-- A small row a bucket and follower; looks at all of them.
select cursor.follower, sum(head.seq - cursor.seq)::bigint as lag
  from head
  join cursor on cursor.bucket = head.bucket
 group by cursor.follower
having sum(head.seq - cursor.seq) > 0
 order by cursor.follower;

-- name: deliveries
select count(*) filter (where status = 'dead')::int as dead,
       count(*) filter (where status = 'waiting' and attempts > 3)::int as failing
  from delivery
 where bucket = any($1::smallint[]) and created_at > $2;

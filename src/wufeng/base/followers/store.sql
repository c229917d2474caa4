-- name: behind
-- Followers whose cursor is below the head of their bucket; no cursor yet counts as 0. Both rows are small and hot.
select head.bucket, f.follower, head.seq as head_seq, cursor.seq as cursor_seq
  from head
  cross join unnest($1::text[]) as f (follower)
  left join cursor on cursor.bucket = head.bucket and cursor.follower = f.follower
 where coalesce(cursor.seq, 0) < head.seq
 order by head.bucket;

-- name: behind_in_bucket
select head.bucket, f.follower, head.seq as head_seq, cursor.seq as cursor_seq
  from head
  cross join unnest($2::text[]) as f (follower)
  left join cursor on cursor.bucket = $1 and cursor.follower = f.follower
 where head.bucket = $1 and coalesce(cursor.seq, 0) < head.seq;

-- name: open_cursor
insert into cursor (bucket, follower, seq) values ($1, $2, 0) on conflict (bucket, follower) do nothing;

-- name: take_cursor
-- Who finds the row locked leaves it: another process has this piece of work. The head is read, not locked: its
-- committed seq has no hole below it. It may be older than a cursor that was moved while we came: then through < after.
select cursor.seq as after_seq, least(head.seq, cursor.seq + $3) as through_seq
  from cursor
  join head on head.bucket = cursor.bucket
 where cursor.bucket = $1 and cursor.follower = $2
   for update of cursor skip locked;

-- name: move_cursor
update cursor set seq = $3 where bucket = $1 and follower = $2;

-- name: read_events
select bucket, seq, kind, object_id, person_id, merchant_id, at, business_on, data
  from event
 where bucket = $1 and seq > $2 and seq <= $3 and ($4::text[] is null or kind = any($4))
 order by seq;

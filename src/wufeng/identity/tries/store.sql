-- name: count_tries
-- In id order, so that two tries never wait for each other in a circle. A window that is over begins anew.
insert into try_count as c (bucket, id, taken, ends_at)
select t.bucket, t.id, 1, t.ends_at
  from unnest($1::smallint[], $2::uuid[], $3::timestamptz[]) with ordinality as t (bucket, id, ends_at, place)
 order by t.place
    on conflict (bucket, id) do update
   set taken = case when c.ends_at <= $4 then 1 else c.taken + 1 end,
       ends_at = case when c.ends_at <= $4 then excluded.ends_at else c.ends_at end
returning id, taken, ends_at;

-- name: give_back_tries
-- Only within the window that they were counted in.
update try_count as c
   set taken = c.taken - 1
  from unnest($1::smallint[], $2::uuid[], $3::timestamptz[]) as t (bucket, id, ends_at)
 where c.bucket = t.bucket and c.id = t.id and c.ends_at = t.ends_at and c.taken > 0;

-- name: forget_tries
delete from try_count
 where (bucket, id) in (select bucket, id from try_count where bucket = $1 and ends_at < $2 limit $3)
returning id;

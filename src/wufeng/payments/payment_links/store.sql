-- name: insert_link
insert into payment_link (bucket, id, merchant_id, amount_minor, subject, uses_max, expires_at, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: load_link
select id, merchant_id, amount_minor, subject, uses_max, expires_at, closed_at, created_at
  from payment_link
 where bucket = $1 and id = $2;

-- name: lock_link
-- Whoever takes up a link waits here: two of them never get the last use.
select id, merchant_id, amount_minor, subject, uses_max, expires_at, closed_at, created_at
  from payment_link
 where bucket = $1 and id = $2
   for update;

-- name: list_links
-- The newest first: ids begin with their instant.
select id, merchant_id, amount_minor, subject, uses_max, expires_at, closed_at, created_at
  from payment_link
 where bucket = $1 and merchant_id = $2 and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: close_link
-- One that is closed stays as it was closed.
update payment_link
   set closed_at = coalesce(closed_at, $4)
 where bucket = $1 and id = $2 and merchant_id = $3
returning id, merchant_id, amount_minor, subject, uses_max, expires_at, closed_at, created_at;

-- name: load_uses
select link_id, number, order_id, person_id
  from payment_link_use
 where bucket = $1 and link_id = any($2::uuid[])
 order by link_id, number;

-- name: put_use
-- A use whose order ended unpaid gets the new one.
insert into payment_link_use (bucket, link_id, number, order_id, person_id, expires_at)
values ($1, $2, $3, $4, $5, $6)
    on conflict (bucket, link_id, number)
    do update set order_id = excluded.order_id, person_id = excluded.person_id, expires_at = excluded.expires_at;

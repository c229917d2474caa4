-- name: insert_code
insert into merchant_code (bucket, id, merchant_id, label, subject, amount_minor, created_at)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: count_open
select count(*) from merchant_code where bucket = $1 and merchant_id = $2 and closed_at is null;

-- name: load_code
select id, merchant_id, label, subject, amount_minor, closed_at, created_at
  from merchant_code
 where bucket = $1 and id = $2;

-- name: list_codes
-- The newest first: ids begin with their instant.
select id, merchant_id, label, subject, amount_minor, closed_at, created_at
  from merchant_code
 where bucket = $1 and merchant_id = $2 and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: close_code
-- One that is closed stays as it was closed.
update merchant_code
   set closed_at = coalesce(closed_at, $4)
 where bucket = $1 and id = $2 and merchant_id = $3
returning id, merchant_id, label, subject, amount_minor, closed_at, created_at;

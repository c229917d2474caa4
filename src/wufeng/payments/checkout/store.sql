-- name: insert_session
insert into checkout_session (bucket, id, merchant_id, order_id, return_url, tenors, merchant_fee_share_ppm, expires_at,
                              created_at, cancel_url)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: load_session
select id, merchant_id, order_id, return_url, tenors, merchant_fee_share_ppm, expired_at, expires_at, created_at,
       cancel_url, cancelled_at
  from checkout_session
 where bucket = $1 and id = $2;

-- name: load_newest_session
-- The newest one speaks for its order; those before it count no longer.
select id, merchant_id, order_id, return_url, tenors, merchant_fee_share_ppm, expired_at, expires_at, created_at,
       cancel_url, cancelled_at
  from checkout_session
 where bucket = $1 and order_id = $2
 order by created_at desc, id desc
 limit 1;

-- name: load_newest_sessions
select distinct on (order_id)
       id, merchant_id, order_id, return_url, tenors, merchant_fee_share_ppm, expired_at, expires_at, created_at,
       cancel_url, cancelled_at
  from checkout_session
 where bucket = $1 and order_id = any($2::uuid[])
 order by order_id, created_at desc, id desc;

-- name: expire_session
update checkout_session set expired_at = $3 where bucket = $1 and id = $2 and expired_at is null;

-- name: cancel_session
update checkout_session set cancelled_at = $3
 where bucket = $1 and id = $2 and cancelled_at is null and expired_at is null;

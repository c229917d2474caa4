-- name: insert_link
insert into friend_link (bucket, id, order_id, asker_id, expires_at, created_at)
values ($1, $2, $3, $4, $5, $6);

-- name: load_link
select id, order_id, asker_id, expires_at, cancelled_at, created_at
  from friend_link
 where bucket = $1 and id = $2;

-- name: load_newest_link
-- The one that a person has given out for an order, if it has not been cancelled.
select id, order_id, asker_id, expires_at, cancelled_at, created_at
  from friend_link
 where bucket = $1 and order_id = $2 and asker_id = $3 and cancelled_at is null
 order by id desc
 limit 1;

-- name: cancel_link
update friend_link set cancelled_at = $3 where bucket = $1 and id = $2 and cancelled_at is null;

-- name: insert_return
-- The second that comes with the same sign-in changes nothing, and is thereby known.
insert into openid_return (bucket, id, returned_at) values ($1, $2, $3) on conflict (bucket, id) do nothing returning id;

-- name: delete_returns
delete from openid_return
 where bucket = $1
   and id in (select id from openid_return where bucket = $1 and returned_at < $2 order by returned_at limit $3)
returning id;

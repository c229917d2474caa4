-- name: insert_merchant
insert into merchant (id, book, name, scene, fee_rate_ppm, status, created_at)
values ($1, $2, $3, $4, $5, $6, $7);

-- name: load_merchants
select id, book, name, scene, fee_rate_ppm, status, created_at, closed_at from merchant where id = any($1::uuid[]);

-- name: close_merchant
update merchant set status = 'closed', closed_at = $3 where id = $1 and book = $2 and status = 'active' returning id;

-- name: list_ids
select id from merchant where book = $1 order by id desc limit $2;

-- name: insert_merchant
insert into merchant (id, book, name, scene, fee_rate_ppm, status, created_at, return_origins)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: load_merchants
select id, book, name, scene, fee_rate_ppm, status, created_at, closed_at, return_origins
  from merchant
 where id = any($1::uuid[]);

-- name: close_merchant
update merchant set status = 'closed', closed_at = $3 where id = $1 and book = $2 and status = 'active' returning id;

-- name: set_origins
update merchant set return_origins = $2 where id = $1;

-- name: list_ids
select id from merchant where book = $1 order by id desc limit $2;

-- name: insert_quote
insert into quote (bucket, id, payer_id, merchant_id, order_id, amount_minor, currency, scene, body, options, expires_at,
                   created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: load_quote
select id, payer_id, merchant_id, order_id, amount_minor, currency, scene, body, options, expires_at, created_at
  from quote
 where bucket = $1 and id = $2;

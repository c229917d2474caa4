-- name: insert_orders
-- In the one order of claims. An order that is paid by the same batch is written as paid at once: one row version less.
insert into merchant_order (bucket, id, book, merchant_id, order_no, amount_minor, currency, subject, scene, receipt,
                            metadata, expires_at, payment_id, payer_id, state, paid_at, created_at)
select o.bucket, o.id, $3, o.merchant_id, o.order_no, o.amount_minor, o.currency, o.subject, o.scene, o.receipt,
       o.metadata, o.expires_at, o.payment_id, o.payer_id,
       case when o.payment_id is null then 'open' else 'paid' end,
       case when o.payment_id is null then null else $15::timestamptz end,
       $15
  from unnest($1::smallint[], $2::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
              $10::text[], $11::bytea[], $12::timestamptz[], $13::uuid[], $14::uuid[]) with ordinality
       as o (bucket, id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata,
             expires_at, payment_id, payer_id, n)
 order by o.n
    on conflict (bucket, id) do nothing
returning id;

-- name: lock_orders
select id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state, payment_id,
       payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at
  from merchant_order
 where bucket = any($1::smallint[]) and id = any($2::uuid[])
 order by bucket, id
   for update;

-- name: load_order
select id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state, payment_id,
       payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at
  from merchant_order
 where bucket = $1 and id = $2;

-- name: list_orders
-- A merchant's orders lie in all buckets of the book: each gives its newest by its own index.
select id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state, payment_id,
       payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at
  from merchant_order
 where bucket = any($1::smallint[])
   and merchant_id = $2
   and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::uuid))
 order by created_at desc, id desc
 limit $5;

-- name: take_orders
update merchant_order as o
   set payment_id = t.payment_id, payer_id = t.payer_id, state = $5,
       paid_at = case when $5 = 'paid' then $6::timestamptz end
  from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::uuid[]) as t (bucket, id, payment_id, payer_id)
 where o.bucket = t.bucket and o.id = t.id;

-- name: release_orders
-- Only the payment that holds an order can free it.
update merchant_order as o
   set payment_id = null, payer_id = null, state = 'open', paid_at = null
  from unnest($1::smallint[], $2::uuid[], $3::uuid[]) as r (bucket, id, payment_id)
 where o.bucket = r.bucket and o.id = r.id and o.payment_id = r.payment_id;

-- name: move_order
update merchant_order
   set state = $3,
       shipped_at = case when $3 = 'shipped' then $4::timestamptz else shipped_at end,
       receipt_confirmed_at = case when $3 = 'receipt_confirmed' then $4::timestamptz else receipt_confirmed_at end
 where bucket = $1 and id = $2;

-- name: expire_orders
update merchant_order set state = 'expired'
 where bucket = any($1::smallint[]) and state = 'open' and payment_id is null and expires_at <= $2
returning id;

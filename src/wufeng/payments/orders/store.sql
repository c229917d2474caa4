-- name: insert_orders
-- In the one order of claims, as composite values in the table's own order of columns. An order that the same batch
-- pays is written as paid at once: one row version less.
insert into merchant_order (bucket, id, book, merchant_id, order_no, amount_minor, currency, subject, scene, receipt,
                            metadata, state, payment_id, payer_id, expires_at, paid_at, shipped_at,
                            receipt_confirmed_at, created_at, channel)
select o.bucket, o.id, o.book, o.merchant_id, o.order_no, o.amount_minor, o.currency, o.subject, o.scene, o.receipt,
       o.metadata, o.state, o.payment_id, o.payer_id, o.expires_at, o.paid_at, o.shipped_at, o.receipt_confirmed_at,
       o.created_at, o.channel
  from unnest($1::merchant_order[]) with ordinality
       as o (bucket, id, book, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state,
          payment_id, payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at, channel, n)
 order by o.n
    on conflict (bucket, id) do nothing
returning id;

-- name: lock_orders
select id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state, payment_id,
       payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at, channel
  from merchant_order
 where bucket = any($1::smallint[]) and id = any($2::uuid[])
 order by bucket, id
   for update;

-- name: load_order
select id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state, payment_id,
       payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at, channel
  from merchant_order
 where bucket = $1 and id = $2;

-- name: load_orders
select id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state, payment_id,
       payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at, channel
  from merchant_order
 where bucket = any($1::smallint[]) and id = any($2::uuid[]);

-- name: list_orders
-- A merchant's orders lie in all buckets of the book: each gives its newest by its own index.
select id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state, payment_id,
       payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at, channel
  from merchant_order
 where bucket = any($1::smallint[])
   and merchant_id = $2
   and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4::uuid))
 order by created_at desc, id desc
 limit $5;

-- name: search_orders
-- Among a merchant's newest orders, those whose number begins so: bounded by what is looked through, not by what is
-- found.
select newest.id, newest.merchant_id, newest.order_no, newest.amount_minor, newest.currency, newest.subject, newest.scene,
       newest.receipt, newest.metadata, newest.state, newest.payment_id, newest.payer_id, newest.expires_at,
       newest.paid_at, newest.shipped_at, newest.receipt_confirmed_at, newest.created_at, newest.channel
  from (select id, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, metadata, state, payment_id,
               payer_id, expires_at, paid_at, shipped_at, receipt_confirmed_at, created_at, channel
          from merchant_order
         where bucket = any($1::smallint[]) and merchant_id = $2
         order by created_at desc, id desc
         limit $4) as newest
 where starts_with(lower(newest.order_no), lower($3))
 order by newest.created_at desc, newest.id desc
 limit $5;

-- name: settle_orders
-- Only the payment that holds an order can change or free it; a free one goes to whoever locked it.
update merchant_order as o
   set payment_id = t.payment_id, payer_id = t.payer_id, state = t.state,
       paid_at = case when t.state = 'paid' then $7::timestamptz end
  from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[])
       as t (bucket, id, holder, payment_id, payer_id, state)
 where o.bucket = t.bucket and o.id = t.id and (o.payment_id is null or o.payment_id = t.holder);

-- name: move_orders
update merchant_order as o
   set state = m.state,
       shipped_at = case when m.state = 'shipped' then $4::timestamptz else o.shipped_at end,
       receipt_confirmed_at = case when m.state = 'receipt_confirmed' then $4::timestamptz else o.receipt_confirmed_at end
  from unnest($1::smallint[], $2::uuid[], $3::text[]) as m (bucket, id, state)
 where o.bucket = m.bucket and o.id = m.id;

-- name: expire_orders
-- One that a payment is taking just now is skipped: it will be paid, or found by the next round.
update merchant_order set state = 'expired'
 where bucket = $1
   and id in (select id from merchant_order
               where bucket = $1 and state = 'open' and payment_id is null and expires_at <= $2
               order by id
               limit $3
                 for update skip locked)
returning id;

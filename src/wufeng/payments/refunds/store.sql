-- name: insert_refunds
insert into refund (bucket, id, payment_id, merchant_id, payer_id, refund_no, amount_minor, wallet_minor,
                    fee_returned_minor, currency, reason, status, effects, returns, created_at, posted_at, reason_code,
                    charges_returned_minor, value_on)
select head.bucket, r.*
  from head,
       unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[],
              $10::text[], $11::text[], $12::text[], $13::bytea[], $14::bytea[], $15::timestamptz[], $16::timestamptz[],
              $17::text[], $18::bigint[], $19::date[])
       as r
 where head.bucket = $1;

-- name: update_refunds
update refund
   set status = r.status, effects = r.effects, returns = r.returns, posted_at = r.posted_at,
       charges_returned_minor = r.charges_returned_minor
  from unnest($2::uuid[], $3::text[], $4::bytea[], $5::bytea[], $6::timestamptz[], $7::bigint[])
       as r (id, status, effects, returns, posted_at, charges_returned_minor)
 where refund.bucket = $1 and refund.id = r.id;

-- name: load_refunds
select id, payment_id, merchant_id, payer_id, refund_no, amount_minor, wallet_minor, fee_returned_minor, currency, reason,
       status, effects, returns, created_at, posted_at, reason_code, charges_returned_minor, value_on
  from refund
 where bucket = $1 and id = any($2::uuid[]);

-- name: load_fees_returned
-- Under the payers' locks, as below.
select payment_id, sum(fee_returned_minor)::bigint as fee_returned_minor
  from refund
 where bucket = $1 and payment_id = any($2::uuid[])
 group by payment_id;

-- name: load_refunds_by_no
-- Under the payers' locks: what is not there now cannot appear meanwhile.
select r.id, r.payment_id, r.merchant_id, r.payer_id, r.refund_no, r.amount_minor, r.wallet_minor, r.fee_returned_minor,
       r.currency, r.reason, r.status, r.effects, r.returns, r.created_at, r.posted_at, r.reason_code,
       r.charges_returned_minor, r.value_on
  from refund as r, unnest($2::uuid[], $3::text[]) as asked (payment_id, refund_no)
 where r.bucket = $1 and r.payment_id = asked.payment_id and r.refund_no = asked.refund_no;

-- name: refunds_of_payment
-- By the index that makes a refund's number unique within its payment.
select id, payment_id, merchant_id, payer_id, refund_no, amount_minor, wallet_minor, fee_returned_minor, currency, reason,
       status, effects, returns, created_at, posted_at, reason_code, charges_returned_minor, value_on
  from refund
 where bucket = $1 and payment_id = $2
 order by created_at, id
 limit $3;

-- name: refunds_that_undid
-- By the same index.
select id, payment_id, merchant_id, payer_id, refund_no, amount_minor, wallet_minor, fee_returned_minor, currency, reason,
       status, effects, returns, created_at, posted_at, reason_code, charges_returned_minor, value_on
  from refund
 where bucket = $1 and payment_id = $2 and reason_code = 'undone'
 order by created_at, id;

-- name: sum_refunds
select count(*) as refunds, coalesce(sum(given.amount_minor), 0)::bigint as amount_minor
  from (select amount_minor
          from refund
         where bucket = any($1::smallint[]) and merchant_id = $2 and id >= $3
         order by id desc
         limit $4) as given;

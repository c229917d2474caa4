-- What the final audit reads, bucket by bucket, and the statements with which C6 poisons a batch.

-- name: payments_of_merchants
select id, payer_id, merchant_id, order_id, order_no, amount_minor, status, wallet_minor, credit_minor, captured_minor,
       fee_minor, refunded_minor
  from payment
 where bucket = $1 and merchant_id = any($2::uuid[])
 order by id;

-- name: refunds_of_merchants
select id, payment_id, merchant_id, refund_no, amount_minor, status
  from refund
 where bucket = $1 and merchant_id = any($2::uuid[])
 order by id;

-- name: moved_by_payments
-- What the payer's own accounts moved by, payment by payment: as much as was captured, and not once more.
select leg.of as payment_id, count(distinct leg.seq)::integer as journals, sum(leg.amount_minor)::bigint as moved_minor
  from leg
 where leg.bucket = $1 and leg.journal_kind = 'payment' and leg.guarded and leg.of = any($2::uuid[])
 group by leg.of;

-- name: overdue_payments
select id, expires_at
  from payment
 where bucket = $1 and status = 'requires_action' and expires_at < $2
 order by id;

-- name: broken_floors
-- Beyond its bounds, or with more held than there is.
select id, balance_minor, held_minor
  from account
 where bucket = $1
   and (balance_minor < min_minor or held_minor < 0 or balance_minor + held_minor > max_minor)
 order by id;

-- name: stray_draws
-- A draw whose lenders do not fund it whole.
select id
  from draw
 where bucket = $1
   and (select sum(share_ppm) from unnest(shares_ppm) as share (share_ppm)) <> 1000000
 order by id;

-- name: budgets_of_merchants
-- What the buckets' slices of a budget hold together is what it has given away, and not more than there is.
select c.id, c.budget_minor, c.given_minor
  from campaign as c
 where c.merchant_id = any($1::uuid[]) and c.budget_minor is not null
 order by c.id;

-- name: taken_of_budgets
select slice.campaign_id, slice.given_minor,
       (select coalesce(sum(payment.campaign_minor + payment.campaign_held_minor), 0)::bigint
          from payment where payment.bucket = $1 and payment.campaign_id = slice.campaign_id) as used_minor
  from campaign_slice as slice
 where slice.bucket = $1 and slice.campaign_id = any($2::uuid[])
 order by slice.campaign_id;

-- name: backends
select pid
  from pg_stat_activity
 where datname = $1 and application_name like 'wufeng%' and pid <> pg_backend_pid()
 order by pid;

-- name: poison_check
update account set held_minor = -1 where bucket = $1 and id = $2;

-- name: poison_floor
update account set balance_minor = max_minor + 1 where bucket = $1 and id = $2;

-- name: poison_unique
insert into hold (bucket, id, account_id, of, amount_minor)
select $1, twin.id, $2, $2, 1 from unnest(array[$2::uuid, $2::uuid]) as twin (id);

-- name: poison_foreign_key
insert into account (bucket, id, kind, owner, currency) values ($1, $2, 32000, $2, 'CNY');

-- name: poison_overflow
update account set held_minor = 9223372036854775807 + (held_minor + 1) where bucket = $1 and id = $2;

-- name: poison_numeric
update account set held_minor = (1e100)::numeric where bucket = $1 and id = $2;

-- name: poison_text
select length($2::text) as length, count(*) as rows from head where bucket = $1;

-- name: poison_unbalanced
insert into journal (bucket, kind, business_on, seq, at, of, guarded, currency, accounts, amounts, note)
select head.bucket, 1, date '2000-01-01', -1, head.booked_at, $2, 0, 'CNY', array[$2::uuid, $2::uuid], array[100, -99]::bigint[],
       '{}'
  from head
 where head.bucket = $1;

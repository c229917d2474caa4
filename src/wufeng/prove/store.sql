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

-- name: told_of_people
select seq, kind, object_id, person_id, business_on
  from event
 where bucket = $1 and person_id = any($2::uuid[]) and seq > $3
 order by seq;

-- name: told_once
-- What the close tells, each of an object once a date.
select kind, object_id, business_on, count(*)::integer as times
  from event
 where bucket = $1 and kind in ('bill.issued', 'bill.due', 'bill.reminder')
 group by kind, object_id, business_on
having count(*) > 1;

-- name: late_bookings
-- Journals and events of a date that were numbered behind the first bill that the close of that date has told.
with closed as (
    select business_on, min(seq) as seq from event where bucket = $1 and kind in ('bill.issued', 'bill.due') group by business_on
)
select booked.seq, booked.business_on
  from (select seq, business_on from journal where bucket = $1
         union all
        select seq, business_on from event where bucket = $1) as booked
 where exists (select from closed where closed.business_on > booked.business_on and closed.seq < booked.seq)
 order by booked.seq;

-- name: stray_bills
-- Bills that stand twice on a date, that were not told, or that hold a draw of their own date or of a later one.
select bill.id
  from bill
 where bill.bucket = $1
   and (exists (select from bill as twin
                 where twin.bucket = $1 and twin.line_id = bill.line_id and twin.issued_on = bill.issued_on
                   and twin.id <> bill.id)
        or not exists (select from event where event.bucket = $1 and event.object_id = bill.id and event.kind = 'bill.issued')
        or exists (select from draw
                    where draw.bucket = $1 and draw.id = any(bill.item_draws) and draw.posted_on >= bill.issued_on))
 order by bill.id;

-- name: bills_by_date
select issued_on, count(*)::integer as bills from bill where bucket = $1 group by issued_on;

-- name: awake_bills
-- Bills that come or pass their due date when a date up to $3 begins, unless they are repaid before.
select line_id, wake_on from bill where bucket = $1 and line_id = any($2::uuid[]) and wake_on <= $3 order by line_id, wake_on;

-- name: runs_of_closes
select business_on, step, row_count, errors from close_run where bucket = $1 order by business_on, step;

-- name: load_head
select seq from head where bucket = $1;

-- name: close_progress
-- Moves on with everything that a close does, and with nothing else.
select (select coalesce(sum(row_count), 0)::bigint + count(*) from close_run where bucket = any($1::smallint[]))
       + (select coalesce(sum(closed_through - date '2000-01-01'), 0)::bigint from head where bucket = any($1::smallint[]))
         as moved;

-- name: standing
-- All that a close leaves of people and lines, as texts without ids: two installations are compared by them.
select line.id as owner,
       'line ' || row(line.status, line.limit_minor, line.opened_on, line.touched_on, line.next_bill_on, line.past_due_since,
                      line.suspend_on, line.bill_day, line.due_day)::text as told
  from line
 where line.bucket = $1 and line.id = any($2::uuid[])
 union all
select bill.line_id,
       'bill ' || row(bill.issued_on, bill.due_on, bill.accrued_on, bill.wake_on, bill.settled, bill.daily_ppm, bill.status,
                      bill.single_minor, bill.instalment_minor, bill.fee_minor, bill.interest_minor,
                      bill.late_interest_minor, bill.carried_minor, bill.missed_minor, bill.minimum_minor,
                      bill.paid_principal_minor, bill.paid_fee_minor, bill.paid_interest_minor, bill.counted_minor,
                      bill.interest_billed_minor, bill.segments::text, bill.item_parts, bill.item_tenors,
                      bill.item_principal, bill.item_fee, bill.item_interest)::text
  from bill
 where bill.bucket = $1 and bill.line_id = any($2::uuid[])
 union all
select draw.line_id,
       'draw ' || row(draw.posted_on, draw.amount_minor, draw.tenor, draw.billed_parts, draw.unbilled_minor,
                      draw.prepaid_minor, draw.principal_parts, draw.fee_parts, draw.daily_ppm, draw.accrued_on,
                      draw.interest_billed_minor, draw.charges_open, draw.segments::text, cardinality(draw.bills))::text
  from draw
 where draw.bucket = $1 and draw.line_id = any($2::uuid[])
 union all
select account.owner, 'account ' || row(account.kind, account.balance_minor, account.held_minor)::text
  from account
 where account.bucket = $1 and account.owner = any($2::uuid[])
 union all
select event.person_id, 'event ' || row(event.kind, event.business_on, count(*))::text
  from event
 where event.bucket = $1 and event.person_id = any($2::uuid[])
   and (event.kind like 'bill.%' or event.kind like 'line.%') and event.kind <> 'bill.reminder'
 group by event.person_id, event.kind, event.business_on;

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

-- name: lock_drawn
-- One draw-up of a bucket at a time, also when two processes close the day.
insert into settlement_drawn as drawn (bucket, from_seq) values ($1, 0)
    on conflict (bucket) do update set from_seq = drawn.from_seq
returning through, from_seq;

-- name: draw_parts
-- Journals of closed dates never change and none is added, so each is summed once. Only what was booked since the last
-- draw-up is read. A reversal counts against the kind of what it undoes. Payables, fees and subsidies move by the same
-- journal, and the payable is what is left: gross = payable + fee + subsidy, all turned to the merchant's side.
with moved as (
    select leg.seq, leg.business_on, leg.currency, leg.journal_kind, leg.reverses,
           (array_agg(leg.owner) filter (where leg.account_kind = 20))[1] as merchant_id,
           -coalesce(sum(leg.amount_minor) filter (where leg.account_kind = 20), 0) as payable_minor,
           -coalesce(sum(leg.amount_minor) filter (where leg.account_kind = 60), 0) as fee_minor,
           -coalesce(sum(leg.amount_minor) filter (where leg.account_kind = 34), 0) as subsidy_minor
      from folded_leg as leg
     where leg.bucket = $1 and leg.seq >= $2 and ($3::date is null or leg.business_on > $3) and leg.business_on <= $4
       and leg.account_kind in (20, 34, 60) and leg.journal_kind in (1, 2, 42, 90)
     group by leg.seq, leg.business_on, leg.currency, leg.journal_kind, leg.reverses
), of_merchant as (
    select moved.*, coalesce(undone.kind, moved.journal_kind) as kind,
           case when moved.reverses is null then 1 else -1 end as counts
      from moved
      left join journal as undone on undone.bucket = $1 and undone.seq = moved.reverses
     where moved.merchant_id is not null
), summed as (
    select merchant_id, business_on, currency,
           coalesce(sum(counts) filter (where kind = 1), 0)::integer as payments,
           coalesce(sum(counts) filter (where kind = 2), 0)::integer as refunds,
           coalesce(sum(payable_minor + fee_minor + subsidy_minor) filter (where kind = 1), 0)::bigint as gross_minor,
           coalesce(-sum(payable_minor + fee_minor + subsidy_minor) filter (where kind = 2), 0)::bigint as refunded_minor,
           coalesce(sum(fee_minor) filter (where kind in (1, 2)), 0)::bigint as fee_minor,
           coalesce(sum(subsidy_minor) filter (where kind in (1, 2)), 0)::bigint as subsidy_minor,
           coalesce(sum(payable_minor) filter (where kind = 42), 0)::bigint as returned_minor,
           coalesce(sum(payable_minor) filter (where kind in (1, 2, 42)), 0)::bigint as net_minor
      from of_merchant
     group by merchant_id, business_on, currency
)
insert into settlement_part (bucket, merchant_id, business_on, slot, currency, payments, refunds, gross_minor, refunded_minor,
                             fee_minor, subsidy_minor, returned_minor, net_minor)
select head.bucket, summed.merchant_id, summed.business_on,
       get_byte(uuid_send(summed.merchant_id), 14) * 256 + get_byte(uuid_send(summed.merchant_id), 15),
       summed.currency, summed.payments, summed.refunds, summed.gross_minor, summed.refunded_minor, summed.fee_minor,
       summed.subsidy_minor, summed.returned_minor, summed.net_minor
  from head, summed
 where head.bucket = $1
returning merchant_id;

-- name: move_drawn
-- Journals of later dates that are booked already are read by the next draw-up: it begins at the first of them.
update settlement_drawn
   set through = $2,
       from_seq = coalesce((select journal.seq from journal
                             where journal.bucket = $1 and journal.seq >= settlement_drawn.from_seq
                               and journal.business_on > $2
                             order by journal.seq
                             limit 1),
                           (select head.seq + 1 from head where head.bucket = $1))
 where bucket = $1;

-- name: drawn_through
-- The date that every bucket of the book has summed; none while one has never done so.
select case when count(drawn.bucket) = cardinality($1::smallint[]) then min(drawn.through) end as through
  from unnest($1::smallint[]) as b (bucket)
  left join settlement_drawn as drawn on drawn.bucket = b.bucket and drawn.through is not null;

-- name: closed_through
select closed_through from head where bucket = $1;

-- name: lock_settled
insert into settlement_settled as settled (bucket) values ($1)
    on conflict (bucket) do update set through = settled.through
returning through;

-- name: next_date
-- The first date after the settled ones on which a merchant of this bucket has something.
select min(part.business_on) as business_on
  from settlement_part as part
  join unnest($4::integer[], $5::integer[]) as own (first_slot, last_slot)
    on part.slot between own.first_slot and own.last_slot
 where part.bucket = any($1::smallint[]) and ($2::date is null or part.business_on > $2) and part.business_on <= $3;

-- name: load_due
-- The sum over the buckets of the book: parts of closed dates are not changed any more. Whoever has its settlement is
-- left out; what the last one left is carried over.
select part.merchant_id, part.currency,
       sum(part.payments)::integer as payments, sum(part.refunds)::integer as refunds,
       sum(part.gross_minor)::bigint as gross_minor, sum(part.refunded_minor)::bigint as refunded_minor,
       sum(part.fee_minor)::bigint as fee_minor, sum(part.subsidy_minor)::bigint as subsidy_minor,
       sum(part.returned_minor)::bigint as returned_minor,
       coalesce((select last.carried_minor + last.net_minor - last.payout_minor
                   from settlement as last
                  where last.bucket = $1 and last.merchant_id = part.merchant_id and last.business_on < $3
                  order by last.business_on desc
                  limit 1), 0)::bigint as carried_minor
  from settlement_part as part
  join unnest($4::integer[], $5::integer[]) as own (first_slot, last_slot)
    on part.slot between own.first_slot and own.last_slot
 where part.bucket = any($2::smallint[]) and part.business_on = $3
   and not exists (select 1 from settlement
                    where settlement.bucket = $1 and settlement.merchant_id = part.merchant_id
                      and settlement.business_on = $3)
 group by part.merchant_id, part.currency
 order by part.merchant_id
 limit $6;

-- name: move_settled
update settlement_settled set through = greatest(through, $2) where bucket = $1;

-- name: insert_settlements
insert into settlement (bucket, id, merchant_id, business_on, status, currency, payments, refunds, gross_minor, refunded_minor,
                        fee_minor, subsidy_minor, returned_minor, net_minor, carried_minor, payout_minor, created_at)
select $1, s.*
  from unnest($2::uuid[], $3::uuid[], $4::date[], $5::text[], $6::text[], $7::integer[], $8::integer[], $9::bigint[],
              $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
              $17::timestamptz[]) as s;

-- name: lock_settlements
-- In id order. No person guards a settlement: its own row does.
select id, merchant_id, business_on, status, currency, payments, refunds, gross_minor, refunded_minor, fee_minor, subsidy_minor,
       returned_minor, carried_minor, payout_minor, failure, paid_on, created_at
  from settlement
 where bucket = $1 and id = any($2::uuid[])
 order by id
   for update;

-- name: end_settlements
update settlement
   set status = s.status, paid_on = s.paid_on, failure = s.failure
  from unnest($2::uuid[], $3::text[], $4::date[], $5::text[]) as s (id, status, paid_on, failure)
 where settlement.bucket = $1 and settlement.id = s.id and settlement.status = 'pending'
returning settlement.id;

-- name: load_settlements
select id, merchant_id, business_on, status, currency, payments, refunds, gross_minor, refunded_minor, fee_minor, subsidy_minor,
       returned_minor, carried_minor, payout_minor, failure, paid_on, created_at
  from settlement
 where bucket = $1 and id = any($2::uuid[]);

-- name: list_settlements
select id, merchant_id, business_on, status, currency, payments, refunds, gross_minor, refunded_minor, fee_minor, subsidy_minor,
       returned_minor, carried_minor, payout_minor, failure, paid_on, created_at
  from settlement
 where bucket = $1 and merchant_id = $2
   and ($3::date is null or business_on >= $3) and ($4::date is null or business_on <= $4)
   and ($5::date is null or business_on < $5)
 order by business_on desc
 limit $6;

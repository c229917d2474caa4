-- name: insert_bills
-- Items and segments come as text, as in insert_draws: arrays of different lengths cannot go through unnest.
-- $39: journals of the batch so far, which take the next numbers.
insert into bill (bucket, id, line_id, issued_on, due_on, accrued_on, wake_on, settled, daily_ppm, status, single_minor,
                  instalment_minor, fee_minor, interest_minor, late_interest_minor, carried_minor, missed_minor,
                  minimum_minor, paid_principal_minor, paid_fee_minor, paid_interest_minor, counted_minor,
                  interest_billed_minor, segments, interest_of, item_draws, item_parts, item_tenors, item_principal,
                  item_fee, item_interest, bears_fees, least_minor, most_minor, grace_days, over_limit_minor,
                  rounding, pieces, seq, used_minor, over_limit_from_minor, over_limit_most_minor,
                  over_limit_used_minor)
select head.bucket, b.id, b.line_id, b.issued_on, b.due_on, b.accrued_on, b.wake_on, b.settled, b.daily_ppm, b.status,
       b.single_minor, b.instalment_minor, b.fee_minor, b.interest_minor, b.late_interest_minor, b.carried_minor,
       b.missed_minor, b.minimum_minor, b.paid_principal_minor, b.paid_fee_minor, b.paid_interest_minor,
       b.counted_minor, b.interest_billed_minor, b.segments, b.interest_of, b.item_draws::uuid[],
       b.item_parts::smallint[], b.item_tenors::smallint[], b.item_principal::bigint[], b.item_fee::bigint[],
       b.item_interest::bigint[], b.bears_fees, b.least_minor, b.most_minor, b.grace_days,
       b.over_limit_minor, b.rounding, b.pieces, head.seq + $39, b.used_minor,
       b.over_limit_from_minor, b.over_limit_most_minor, b.over_limit_used_minor
  from head, unnest($2::uuid[], $3::uuid[], $4::date[], $5::date[], $6::date[], $7::date[], $8::boolean[], $9::integer[],
                    $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
                    $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[],
                    $22::bigint[], $23::bigint[], $24::json[], $25::json[], $26::text[], $27::text[], $28::text[],
                    $29::text[], $30::text[], $31::text[], $32::boolean[], $33::integer[], $34::bigint[],
                    $35::smallint[], $36::bigint[], $37::text[], $38::text[], $40::bigint[],
                    $41::bigint[], $42::bigint[], $43::bigint[])
       as b (id, line_id, issued_on, due_on, accrued_on, wake_on, settled, daily_ppm, status, single_minor,
             instalment_minor, fee_minor, interest_minor, late_interest_minor, carried_minor, missed_minor,
             minimum_minor, paid_principal_minor, paid_fee_minor, paid_interest_minor, counted_minor,
             interest_billed_minor, segments, interest_of, item_draws, item_parts, item_tenors, item_principal,
             item_fee, item_interest, bears_fees, least_minor, most_minor, grace_days, over_limit_minor, rounding, pieces,
             used_minor, over_limit_from_minor, over_limit_most_minor, over_limit_used_minor)
 where head.bucket = $1;

-- name: update_bills
update bill
   set accrued_on = b.accrued_on, wake_on = b.wake_on, settled = b.settled, daily_ppm = b.daily_ppm, status = b.status,
       single_minor = b.single_minor, instalment_minor = b.instalment_minor, fee_minor = b.fee_minor,
       late_interest_minor = b.late_interest_minor, minimum_minor = b.minimum_minor,
       paid_principal_minor = b.paid_principal_minor, paid_fee_minor = b.paid_fee_minor,
       paid_interest_minor = b.paid_interest_minor, counted_minor = b.counted_minor,
       interest_billed_minor = b.interest_billed_minor, segments = b.segments, bears_fees = b.bears_fees,
       least_minor = b.least_minor, most_minor = b.most_minor, interest_minor = b.interest_minor,
       carried_minor = b.carried_minor, missed_minor = b.missed_minor,
       over_limit_refunded_minor = b.over_limit_refunded_minor, used_minor = b.used_minor,
       over_limit_minor = b.over_limit_minor, over_limit_used_minor = b.over_limit_used_minor
  from unnest($2::uuid[], $3::date[], $4::date[], $5::boolean[], $6::integer[], $7::text[], $8::bigint[], $9::bigint[],
              $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[],
              $17::bigint[], $18::json[], $19::boolean[], $20::integer[], $21::bigint[], $22::bigint[],
              $23::bigint[], $24::bigint[], $25::bigint[], $26::bigint[],
              $27::bigint[], $28::bigint[])
       as b (id, accrued_on, wake_on, settled, daily_ppm, status, single_minor, instalment_minor, fee_minor,
             late_interest_minor, minimum_minor, paid_principal_minor, paid_fee_minor, paid_interest_minor,
             counted_minor, interest_billed_minor, segments, bears_fees, least_minor, most_minor, interest_minor,
             carried_minor, missed_minor, over_limit_refunded_minor, used_minor, over_limit_minor, over_limit_used_minor)
 where bill.bucket = $1 and bill.id = b.id;

-- name: load_unsettled_bills
select id, line_id, issued_on, due_on, accrued_on, wake_on, daily_ppm, status, single_minor, instalment_minor, fee_minor,
       interest_minor, late_interest_minor, carried_minor, missed_minor, minimum_minor, paid_principal_minor,
       paid_fee_minor, paid_interest_minor, counted_minor, interest_billed_minor, segments, bears_fees, least_minor,
       most_minor, grace_days, over_limit_minor, over_limit_refunded_minor, over_limit_from_minor,
       over_limit_most_minor, over_limit_used_minor, used_minor, rounding, pieces
  from bill
 where bucket = $1 and line_id = any($2::uuid[]) and not settled;

-- name: load_bills
select id, line_id, issued_on, due_on, accrued_on, wake_on, daily_ppm, status, single_minor, instalment_minor, fee_minor,
       interest_minor, late_interest_minor, carried_minor, missed_minor, minimum_minor, paid_principal_minor,
       paid_fee_minor, paid_interest_minor, counted_minor, interest_billed_minor, segments, bears_fees, least_minor,
       most_minor, grace_days, over_limit_minor, over_limit_refunded_minor, over_limit_from_minor,
       over_limit_most_minor, over_limit_used_minor, used_minor, rounding, pieces
  from bill
 where bucket = $1 and id = any($2::uuid[]);

-- name: load_all_of_line
select id, line_id, issued_on, due_on, accrued_on, wake_on, daily_ppm, status, single_minor, instalment_minor, fee_minor,
       interest_minor, late_interest_minor, carried_minor, missed_minor, minimum_minor, paid_principal_minor,
       paid_fee_minor, paid_interest_minor, counted_minor, interest_billed_minor, segments, bears_fees, least_minor,
       most_minor, grace_days, over_limit_minor, over_limit_refunded_minor, over_limit_from_minor,
       over_limit_most_minor, over_limit_used_minor, used_minor, rounding, pieces
  from bill
 where bucket = $1 and line_id = $2
 order by issued_on, id;

-- name: load_bills_of_line
-- The newest first; $3 is the id after which the page begins.
select id
  from bill
 where bucket = $1 and line_id = $2
   and ($3::uuid is null
        or (issued_on, id) < (select last.issued_on, last.id from bill as last where last.bucket = $1 and last.id = $3))
 order by issued_on desc, id desc
 limit $4;

-- name: is_billed_since
select exists (select 1 from bill where bucket = $1 and line_id = $2 and seq >= $3);

-- name: load_seqs
select id, seq from bill where bucket = $1 and id = any($2::uuid[]) and seq is not null;

-- name: load_items
select id, interest_of, item_draws, item_parts, item_tenors, item_principal, item_fee, item_interest
  from bill
 where bucket = $1 and id = any($2::uuid[]);

-- name: update_items
update bill
   set interest_of = b.interest_of, item_draws = b.item_draws::uuid[], item_parts = b.item_parts::smallint[],
       item_tenors = b.item_tenors::smallint[], item_principal = b.item_principal::bigint[],
       item_fee = b.item_fee::bigint[], item_interest = b.item_interest::bigint[]
  from unnest($2::uuid[], $3::json[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
       as b (id, interest_of, item_draws, item_parts, item_tenors, item_principal, item_fee, item_interest)
 where bill.bucket = $1 and bill.id = b.id;

-- name: lines_to_wake
-- The lines whose bills the close must look at, a chunk at a time; what was looked at wakes later or never.
select line.id, line.person_id
  from line
 where line.bucket = $1
   and line.id in (select line_id from bill where bucket = $1 and wake_on <= $2 order by wake_on, line_id limit $3);

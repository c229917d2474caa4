-- name: insert_draws
-- Composite values, in the table's own order of columns: they may hold arrays of different lengths.
insert into draw (bucket, tenor, billed_parts, id, line_id, payment_id, merchant_id, amount_minor, unbilled_minor,
                  prepaid_minor, product_version, merchant_share_ppm, posted_on, billable_on, status, lenders,
                  shares_ppm, principal_parts, fee_parts, subsidy_parts, bills, of_bill, daily_ppm, accrued_on,
                  interest_billed_minor, charges_open, segments, interest_parts, bill_dates, due_dates, rounding,
                  pieces)
select d.bucket, d.tenor, d.billed_parts, d.id, d.line_id, d.payment_id, d.merchant_id, d.amount_minor,
       d.unbilled_minor, d.prepaid_minor, d.product_version, d.merchant_share_ppm, d.posted_on, d.billable_on,
       d.status, d.lenders, d.shares_ppm, d.principal_parts, d.fee_parts, d.subsidy_parts, d.bills, d.of_bill,
       d.daily_ppm, d.accrued_on, d.interest_billed_minor, d.charges_open, d.segments, d.interest_parts, d.bill_dates,
       d.due_dates, d.rounding, d.pieces
  from head, unnest($2::draw[]) as d
 where head.bucket = $1;

-- name: update_draws
-- Composite values, as in insert_draws.
update draw
   set amount_minor = d.amount_minor, status = d.status, principal_parts = d.principal_parts, fee_parts = d.fee_parts,
       subsidy_parts = d.subsidy_parts, interest_parts = d.interest_parts, billed_parts = d.billed_parts, bills =
       d.bills, prepaid_minor = d.prepaid_minor, unbilled_minor = d.unbilled_minor, posted_on = d.posted_on,
       billable_on = d.billable_on, bill_dates = d.bill_dates, due_dates = d.due_dates, accrued_on = d.accrued_on,
       segments = d.segments, interest_billed_minor = d.interest_billed_minor, charges_open = d.charges_open
  from unnest($2::draw[]) as d
 where draw.bucket = $1 and draw.id = d.id;

-- name: load_draws
select id, line_id, payment_id, merchant_id, amount_minor, tenor, merchant_share_ppm, product_version, lenders, shares_ppm,
       status, principal_parts, fee_parts, subsidy_parts, interest_parts, billed_parts, bills, prepaid_minor,
       unbilled_minor, posted_on, billable_on, bill_dates, due_dates, of_bill, daily_ppm, accrued_on, segments,
       interest_billed_minor, rounding, pieces
  from draw
 where bucket = $1 and id = any($2::uuid[])
 order by id;

-- name: load_unbilled_draws
-- By time: a UUIDv7 begins with its instant.
select id, line_id, payment_id, merchant_id, amount_minor, tenor, merchant_share_ppm, product_version, lenders, shares_ppm,
       status, principal_parts, fee_parts, subsidy_parts, interest_parts, billed_parts, bills, prepaid_minor,
       unbilled_minor, posted_on, billable_on, bill_dates, due_dates, of_bill, daily_ppm, accrued_on, segments,
       interest_billed_minor, rounding, pieces
  from draw
 where bucket = $1 and line_id = any($2::uuid[]) and (unbilled_minor > 0 or charges_open)
 order by id;

-- name: load_draws_of_line
select id, line_id, payment_id, merchant_id, amount_minor, tenor, merchant_share_ppm, product_version, lenders, shares_ppm,
       status, principal_parts, fee_parts, subsidy_parts, interest_parts, billed_parts, bills, prepaid_minor,
       unbilled_minor, posted_on, billable_on, bill_dates, due_dates, of_bill, daily_ppm, accrued_on, segments,
       interest_billed_minor, rounding, pieces
  from draw
 where bucket = $1 and line_id = $2 and status = 'posted'
 order by id;

-- name: load_unbilled_sums
select line_id, sum(unbilled_minor)::bigint as unbilled_minor
  from draw
 where bucket = $1 and line_id = any($2::uuid[]) and unbilled_minor > 0
 group by line_id;

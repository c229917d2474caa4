-- name: insert_draws
-- Composite values, in the table's own order of columns: they may hold arrays of different lengths.
insert into draw (bucket, tenor, billed_parts, id, line_id, payment_id, merchant_id, amount_minor, unbilled_minor,
                  prepaid_minor, product_version, merchant_share_ppm, posted_on, billable_on, status, lenders,
                  shares_ppm, principal_parts, fee_parts, subsidy_parts, bills)
select d.bucket, d.tenor, d.billed_parts, d.id, d.line_id, d.payment_id, d.merchant_id, d.amount_minor,
       d.unbilled_minor, d.prepaid_minor, d.product_version, d.merchant_share_ppm, d.posted_on, d.billable_on,
       d.status, d.lenders, d.shares_ppm, d.principal_parts, d.fee_parts, d.subsidy_parts, d.bills
  from head, unnest($2::draw[]) as d
 where head.bucket = $1;

-- name: load_draws
select id, line_id, payment_id, merchant_id, amount_minor, tenor, merchant_share_ppm, product_version, lenders, shares_ppm,
       status, principal_parts, fee_parts, subsidy_parts, billed_parts, bills, prepaid_minor, unbilled_minor, posted_on,
       billable_on
  from draw
 where bucket = $1 and id = any($2::uuid[])
 order by id;

-- name: load_unbilled_draws
-- By time: a UUIDv7 begins with its instant.
select id, line_id, payment_id, merchant_id, amount_minor, tenor, merchant_share_ppm, product_version, lenders, shares_ppm,
       status, principal_parts, fee_parts, subsidy_parts, billed_parts, bills, prepaid_minor, unbilled_minor, posted_on,
       billable_on
  from draw
 where bucket = $1 and line_id = any($2::uuid[]) and unbilled_minor > 0
 order by id;

-- name: update_draws
update draw
   set amount_minor = d.amount_minor, status = d.status, principal_parts = d.principal_parts::bigint[],
       fee_parts = d.fee_parts::bigint[], subsidy_parts = d.subsidy_parts::bigint[], billed_parts = d.billed_parts,
       bills = d.bills::uuid[], prepaid_minor = d.prepaid_minor, unbilled_minor = d.unbilled_minor,
       posted_on = d.posted_on, billable_on = d.billable_on
  from unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::smallint[], $9::text[],
              $10::bigint[], $11::bigint[], $12::date[], $13::date[])
       as d (id, amount_minor, status, principal_parts, fee_parts, subsidy_parts, billed_parts, bills, prepaid_minor,
             unbilled_minor, posted_on, billable_on)
 where draw.bucket = $1 and draw.id = d.id;

-- name: set_billable
-- Once: a receipt that is confirmed twice moves nothing.
update draw
   set billable_on = $3
 where bucket = $1 and id = any($2::uuid[]) and status = 'posted' and billable_on is null
returning line_id;

-- name: load_unbilled_sums
select line_id, sum(unbilled_minor)::bigint as unbilled_minor
  from draw
 where bucket = $1 and line_id = any($2::uuid[]) and unbilled_minor > 0
 group by line_id;

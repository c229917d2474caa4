-- name: load_interest
-- What the ledger had of each product's interest at the last closes of some buckets.
select product, product_version as version, sum(income_minor - accrued_minor)::bigint as billed_minor,
       sum(accrued_minor)::bigint as accrued_minor
  from accrual_ledger
 where bucket = any($1::smallint[])
 group by product, product_version
having sum(income_minor) <> 0
 order by product, product_version;

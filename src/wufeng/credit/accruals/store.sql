-- name: move_accruals
-- In the order of their keys: two batches never wait for each other in a circle.
insert into accrual as sum (bucket, product, product_version, business_on, micro, daily_micro)
select head.bucket, a.product, a.product_version, a.business_on, a.micro, a.daily_micro
  from head, unnest($2::text[], $3::integer[], $4::date[], $5::bigint[], $6::bigint[])
       as a (product, product_version, business_on, micro, daily_micro)
 where head.bucket = $1
 order by a.product, a.product_version, a.business_on
    on conflict (bucket, product, product_version, business_on)
    do update set micro = sum.micro + excluded.micro, daily_micro = sum.daily_micro + excluded.daily_micro;

-- name: sums_at
-- What is earned and not billed at the end of a date, by product: each event's amount, and its days since.
select product, product_version, sum(micro + daily_micro * ($2::date - business_on))::bigint as micro,
       sum(daily_micro)::bigint as daily_micro
  from accrual
 where bucket = $1 and business_on <= $2
 group by product, product_version
 order by product, product_version;

-- name: fold_sums
-- Events of dates that are closed become one row: the table stays as small as there are products.
with gone as (
    delete from accrual where bucket = $1 and business_on <= $2
    returning product, product_version, micro + daily_micro * ($2::date - business_on) as micro, daily_micro
)
insert into accrual (bucket, product, product_version, business_on, micro, daily_micro)
select head.bucket, sums.product, sums.product_version, $2, sums.micro, sums.daily_micro
  from head,
       (select product, product_version, sum(micro)::bigint as micro, sum(daily_micro)::bigint as daily_micro
          from gone group by product, product_version) as sums
 where head.bucket = $1;

-- name: last_closed
select distinct on (product, product_version) product, product_version, business_on, accrued_minor
  from accrual_close
 where bucket = $1
 order by product, product_version, business_on desc;

-- name: insert_closed
insert into accrual_close (bucket, product, product_version, business_on, accrued_minor)
select head.bucket, a.product, a.product_version, $2, a.accrued_minor
  from head, unnest($3::text[], $4::integer[], $5::bigint[]) as a (product, product_version, accrued_minor)
 where head.bucket = $1
    on conflict do nothing
returning product, product_version;

-- name: wrong_sums
-- The sums that events have moved, beside all that bears interest, one by one. Both are straight lines from the last
-- event on, so they are compared on that date: where they stand, and what comes a day. One whose interest is capped is in
-- no sum, and neither is one that bears nothing any more with less than a minor unit left to bill.
with last as materialized (
    select max(business_on) as business_on
      from (select business_on from accrual where bucket = $1
             union all select accrued_on from draw where bucket = $1 and daily_ppm <> 0
             union all select accrued_on from bill where bucket = $1 and daily_ppm <> 0) as one
), bearing as (
    select line_id, unbilled_minor as balance_minor, daily_ppm, 0 as least_minor, accrued_on, segments,
           interest_billed_minor
      from draw
     where bucket = $1 and (daily_ppm <> 0 or segments is not null)
    union all
    select line_id,
           single_minor + instalment_minor - paid_principal_minor
             + case when bears_fees then fee_minor - paid_fee_minor else 0 end,
           daily_ppm, least_minor, accrued_on, segments, interest_billed_minor
      from bill
     where bucket = $1 and (daily_ppm <> 0 or segments is not null) and most_minor is null
), earning as (
    select line_id, balance_minor, interest_billed_minor, accrued_on, day.micro as daily_micro,
           coalesce(ended.micro, 0) as ended_micro
      from bearing
     cross join lateral (
           select case when daily_ppm = 0 or balance_minor <= 0 then 0
                       else greatest(balance_minor * daily_ppm, least_minor * 1000000::bigint) end as micro) as day
     cross join lateral (
           select sum(case when (part ->> 2)::bigint <= 0 then 0
                           else greatest((part ->> 2)::bigint * (part ->> 3)::bigint,
                                         coalesce((part ->> 4)::bigint, 0) * 1000000)
                                * ((part ->> 1)::date - (part ->> 0)::date) end) as micro
             from json_array_elements(coalesce(segments, '[]')) as part) as ended
), earned as (
    select line_id, balance_minor, interest_billed_minor, daily_micro,
           ended_micro + daily_micro * greatest(last.business_on - accrued_on, 0) as micro
      from earning, last
), rounded as (
    select line_id, balance_minor, interest_billed_minor, daily_micro, micro,
           div(micro, 1000000)
             + case when 2 * mod(micro, 1000000) > 1000000
                      or (2 * mod(micro, 1000000) = 1000000 and mod(div(micro, 1000000), 2) = 1)
                    then 1 else 0 end as whole_minor
      from earned
), by_product as (
    select line.product, line.product_version,
           sum(rounded.micro - rounded.interest_billed_minor * 1000000) as micro,
           sum(rounded.daily_micro) as daily_micro
      from rounded
      join line on line.bucket = $1 and line.id = rounded.line_id
     where rounded.balance_minor > 0 or rounded.whole_minor > rounded.interest_billed_minor
     group by line.product, line.product_version
), by_events as (
    select product, product_version, sum(accrual.micro + accrual.daily_micro * (last.business_on - accrual.business_on))
             as micro,
           sum(accrual.daily_micro) as daily_micro
      from accrual, last
     where accrual.bucket = $1
     group by product, product_version
)
select product, product_version,
       coalesce(by_product.micro, 0)::text as micro, coalesce(by_product.daily_micro, 0)::text as daily_micro,
       coalesce(by_events.micro, 0)::text as found_micro,
       coalesce(by_events.daily_micro, 0)::text as found_daily_micro
  from by_product
  full join by_events using (product, product_version)
 where (coalesce(by_product.micro, 0), coalesce(by_product.daily_micro, 0))
       <> (coalesce(by_events.micro, 0), coalesce(by_events.daily_micro, 0))
 order by product, product_version;

-- name: wrong_booked
-- What the closes noted as accrued, beside what their journals put on the lenders' accounts.
with noted as (
    select distinct on (product, product_version) accrued_minor
      from accrual_close
     where bucket = $1
     order by product, product_version, business_on desc
), sums as (
    select coalesce((select sum(accrued_minor) from noted), 0) as noted_minor,
           coalesce((select sum(leg.amount_minor)
                       from (select unnest(accounts) as account_id, unnest(amounts) as amount_minor
                               from journal where bucket = $1 and kind = 12) as leg
                       join folded_account as registered on registered.id = leg.account_id
                      where registered.kind = 37), 0) as booked_minor
)
select noted_minor::text as noted_minor, booked_minor::text as booked_minor from sums where noted_minor <> booked_minor;

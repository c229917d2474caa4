-- name: latest_on
-- A date from which on all that is kept of a bucket goes straight on: none of its rows was made by a later event.
select greatest((select closed_through + 1 from head where bucket = $1),
                (select max(touched_on) from line where bucket = $1),
                (select max(greatest(posted_on, billable_on, accrued_on)) from draw where bucket = $1),
                (select max(accrued_on) from bill where bucket = $1)) as latest_on;

-- name: straight_sums
-- All that bears interest without an end, one by one: where it stands on that date, and what comes a day. One that bears
-- nothing any more, with less than a minor unit left to bill, is done. Capped bills, plans by a yearly rate and rounding
-- of another kind are the business of `odd_bills` and `odd_draws`.
with bearing as (
    select line_id, unbilled_minor as balance_minor, daily_ppm, 0 as least_minor, accrued_on, segments,
           interest_billed_minor
      from draw
     where bucket = $1 and (daily_ppm <> 0 or segments is not null) and rounding is null and pieces is null
    union all
    select line_id,
           single_minor + instalment_minor - paid_principal_minor
             + case when bears_fees then fee_minor - paid_fee_minor else 0 end,
           daily_ppm, least_minor, accrued_on, segments, interest_billed_minor
      from bill
     where bucket = $1 and (daily_ppm <> 0 or segments is not null) and most_minor is null and rounding is null
       and pieces is null
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
           ended_micro + daily_micro * greatest($2::date - accrued_on, 0) as micro
      from earning
), rounded as (
    select line_id, balance_minor, interest_billed_minor, daily_micro, micro,
           div(micro, 1000000)
             + case when 2 * mod(micro, 1000000) > 1000000
                      or (2 * mod(micro, 1000000) = 1000000 and mod(div(micro, 1000000), 2) = 1)
                    then 1 else 0 end as whole_minor
      from earned
)
select line.product, line.product_version,
       sum(rounded.micro - rounded.interest_billed_minor * 1000000)::bigint as micro,
       sum(rounded.daily_micro)::bigint as daily_micro
  from rounded
  join line on line.bucket = $1 and line.id = rounded.line_id
 where rounded.balance_minor > 0 or rounded.whole_minor > rounded.interest_billed_minor
 group by line.product, line.product_version;

-- name: odd_bills
select id
  from bill
 where bucket = $1 and not settled and (daily_ppm <> 0 or segments is not null)
   and (most_minor is not null or rounding is not null or pieces is not null)
   and id > $2
 order by id
 limit $3;

-- name: odd_draws
select id
  from draw
 where bucket = $1 and (unbilled_minor > 0 or charges_open)
   and (interest_parts is not null or rounding is not null or pieces is not null)
   and id > $2
 order by id
 limit $3;

-- name: billed_sums
-- All that ever became owed of interest, by the rows of bills and draws.
select line.product, line.product_version, sum(one.amount_minor)::bigint as billed_minor
  from (select line_id, interest_billed_minor as amount_minor from bill where bucket = $1 and interest_billed_minor <> 0
        union all
        select line_id,
               interest_billed_minor
                 + coalesce((select sum(part) from unnest(interest_parts[: billed_parts]) as part), 0)
          from draw
         where bucket = $1 and (interest_billed_minor <> 0 or interest_parts is not null)) as one
  join line on line.bucket = $1 and line.id = one.line_id
 group by line.product, line.product_version;

-- name: sum_rows
select product, product_version, business_on, micro, daily_micro, billed_minor from accrual where bucket = $1;

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

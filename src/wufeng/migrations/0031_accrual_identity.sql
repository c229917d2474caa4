-- Sums of earned interest hold what ends by itself as rows of its day, count what was billed, and are compared at each
-- close with what the ledger has.

alter table accrual add column if not exists billed_minor bigint not null default 0;
comment on column accrual.billed_minor is
    'how much of what was earned events of that date billed, by the rows of bills and draws; summed over all rows it is all that ever was';
comment on table accrual is
    'distributed by bucket: how a date moves the interest that is earned and not billed: by micro at the end of that date, and by daily_micro for each day after it; rows of dates to come say what begins or ends by itself';

create table if not exists accrual_ledger (
    bucket          smallint not null,
    product         text not null,
    product_version integer not null,
    income_minor    bigint not null,
    accrued_minor   bigint not null,
    primary key (bucket, product, product_version)
);
comment on table accrual_ledger is
    'distributed by bucket: what journals have put on the lenders'' interest income and accrued interest, up to the number in accrual_read';
comment on column accrual_ledger.income_minor is 'billed interest and accrued interest together, as earned: above zero';

create table if not exists accrual_read (
    bucket smallint primary key,
    seq    bigint not null
);
comment on table accrual_read is 'distributed by bucket: the number of the last journal that accrual_ledger holds';

grant select, insert, update on accrual_ledger, accrual_read to wufeng_app;

-- What was charged when a plan was paid off early stood in no column of its draw.
update draw
   set interest_billed_minor = draw.interest_billed_minor + charged.amount_minor
  from (select repayment.bucket, repayment.plan, sum((piece ->> 'amount_minor')::bigint) as amount_minor
          from repayment
         cross join lateral json_array_elements(repayment.allocation) as piece
         where repayment.plan is not null and repayment.status = 'posted' and piece ->> 'part' = 'daily_interest'
           and (piece ->> 'draw')::uuid = repayment.plan
         group by repayment.bucket, repayment.plan) as charged
 where draw.bucket = charged.bucket and draw.id = charged.plan and draw.daily_ppm = 0;

-- What was billed so far, as the ledger has it: from here on events count it.
insert into accrual as sum (bucket, product, product_version, business_on, micro, daily_micro, billed_minor)
select billed.bucket, split_part(billed.product, '@', 1), split_part(billed.product, '@', 2)::integer, billed.business_on,
       0, 0, billed.amount_minor
  from (select journal.bucket, journal.note ->> 'product' as product, max(journal.business_on) as business_on,
               -sum(leg.amount_minor)::bigint as amount_minor
          from journal
         cross join lateral unnest(journal.accounts, journal.amounts) as leg (account_id, amount_minor)
          join folded_account as registered on registered.id = leg.account_id and registered.kind = 32
         where journal.note ->> 'product' is not null
         group by journal.bucket, journal.note ->> 'product') as billed
    on conflict (bucket, product, product_version, business_on)
    do update set billed_minor = sum.billed_minor + excluded.billed_minor;

-- Bills whose interest is capped, and plans by a yearly rate, were in no sum: they join it as they stand, with the dates
-- on which they end. From the first open date of their bucket on, or where it has closed none, from their own first date;
-- all that counts is right from their own last event on.
with bearing as (
    select bill.bucket, bill.line_id, bill.accrued_on, bill.interest_billed_minor,
           coalesce(head.closed_through + 1, bill.accrued_on) as since_on,
           bill.most_minor * 1000000::numeric as most_micro,
           coalesce((select sum(greatest((part ->> 2)::bigint * (part ->> 3)::bigint,
                                         coalesce((part ->> 4)::bigint, 0) * 1000000)
                                * ((part ->> 1)::date - (part ->> 0)::date))
                       from json_array_elements(bill.segments) as part
                      where (part ->> 2)::bigint > 0), 0) as ended_micro,
           case when balance.minor > 0 and bill.daily_ppm > 0
                then greatest(balance.minor * bill.daily_ppm, bill.least_minor * 1000000) else 0 end as daily_micro
      from bill
      join head on head.bucket = bill.bucket
     cross join lateral (
           select bill.single_minor + bill.instalment_minor - bill.paid_principal_minor
                    + case when bill.bears_fees then bill.fee_minor - bill.paid_fee_minor else 0 end as minor) as balance
     where not bill.settled and bill.most_minor is not null and (bill.daily_ppm > 0 or bill.segments is not null)
), capped as (
    select bucket, line_id, since_on, most_micro, daily_micro, interest_billed_minor,
           ended_micro + daily_micro * (since_on - accrued_on) as micro
      from bearing
), of_bills as (
    select bucket, line_id, since_on as business_on, least(micro, most_micro) - interest_billed_minor * 1000000 as micro,
           case when micro < most_micro then daily_micro else 0 end as daily_micro
      from capped
    union all
    select bucket, line_id, since_on + days.count::integer, most_micro - (micro + daily_micro * days.count), -daily_micro
      from capped
     cross join lateral (
           select least(ceil((most_micro - micro) / nullif(daily_micro, 0)), 3000000) as count) as days
     where micro < most_micro and days.count <= date '9999-12-31' - since_on
), plan as (
    select draw.bucket, draw.line_id, coalesce(head.closed_through + 1, draw.billable_on) as since_on, draw.billable_on,
           draw.billed_parts, draw.unbilled_minor, draw.due_dates, line.bill_day, line.due_day, line.due_after_days,
           case when draw.billed_parts > 0 then line.next_bill_on - 1 else draw.billable_on end as before_bill_on,
           draw.interest_parts[draw.billed_parts + 1] * 1000000 as part_micro,
           (select sum(part) from unnest(draw.interest_parts[draw.billed_parts + 1 :]) as part) * 1000000 as rest_micro
      from draw
      join line on line.bucket = draw.bucket and line.id = draw.line_id
      join head on head.bucket = draw.bucket
     where draw.interest_parts is not null and draw.billable_on is not null
       and (draw.unbilled_minor > 0 or draw.charges_open)
), billing as (
    -- The next date with a day of the month: this month's, or where that has passed the next one's; a day that a month
    -- lacks is its last one.
    select plan.bucket, plan.line_id, plan.since_on, plan.billable_on, plan.billed_parts, plan.unbilled_minor,
           plan.due_dates, plan.bill_day, plan.due_day, plan.due_after_days, plan.part_micro, plan.rest_micro,
           case when here.on_ > plan.before_bill_on then here.on_ else later.on_ end as bill_on
      from plan
     cross join lateral (
           select least(date_trunc('month', before_bill_on)::date + bill_day - 1,
                        (date_trunc('month', before_bill_on) + interval '1 month')::date - 1) as on_) as here
     cross join lateral (
           select least((date_trunc('month', before_bill_on) + interval '1 month')::date + bill_day - 1,
                        (date_trunc('month', before_bill_on) + interval '2 months')::date - 1) as on_) as later
), due as (
    select billing.bucket, billing.line_id, billing.since_on, billing.billable_on, billing.billed_parts,
           billing.unbilled_minor, billing.due_dates, billing.bill_day, billing.due_day, billing.due_after_days,
           billing.part_micro, billing.rest_micro, billing.bill_on,
           coalesce(due_dates[billed_parts + 1], bill_on + due_after_days,
                    case when here.on_ > bill_on then here.on_ else later.on_ end) as due_on
      from billing
     cross join lateral (
           select least(date_trunc('month', bill_on)::date + due_day - 1,
                        (date_trunc('month', bill_on) + interval '1 month')::date - 1) as on_) as here
     cross join lateral (
           select least((date_trunc('month', bill_on) + interval '1 month')::date + due_day - 1,
                        (date_trunc('month', bill_on) + interval '2 months')::date - 1) as on_) as later
), period as (
    select due.bucket, due.line_id, due.since_on, due.due_on, due.unbilled_minor, due.part_micro, due.rest_micro,
           case when billed_parts = 0 then billable_on
                when due_dates is not null then due_dates[billed_parts]
                when due_after_days is not null
                then least((date_trunc('month', bill_on) - interval '1 month')::date + bill_day - 1,
                           date_trunc('month', bill_on)::date - 1) + due_after_days
                else least((date_trunc('month', due_on) - interval '1 month')::date + due_day - 1,
                           date_trunc('month', due_on)::date - 1) end as begins_on
      from due
), evenly as (
    select bucket, line_id, since_on, begins_on, due_on, part_micro, part_micro / (due_on - begins_on) as daily_micro
      from period
     where unbilled_minor > 0 and due_on > begins_on
), of_plans as (
    select bucket, line_id, since_on as business_on, rest_micro as micro, 0 as daily_micro
      from period
     where unbilled_minor = 0
    union all
    select bucket, line_id, greatest(since_on, begins_on),
           case when since_on >= due_on then part_micro else daily_micro * greatest(since_on - begins_on, 0) end,
           case when since_on >= due_on then 0 else daily_micro end
      from evenly
    union all
    select bucket, line_id, due_on, part_micro - daily_micro * (due_on - begins_on), -daily_micro
      from evenly
     where since_on < due_on
)
insert into accrual as sum (bucket, product, product_version, business_on, micro, daily_micro)
select one.bucket, line.product, line.product_version, one.business_on, sum(one.micro)::bigint,
       sum(one.daily_micro)::bigint
  from (select bucket, line_id, business_on, micro, daily_micro from of_bills
        union all
        select bucket, line_id, business_on, micro, daily_micro from of_plans) as one
  join line on line.bucket = one.bucket and line.id = one.line_id
 where (one.micro, one.daily_micro) <> (0, 0)
 group by one.bucket, line.product, line.product_version, one.business_on
    on conflict (bucket, product, product_version, business_on)
    do update set micro = sum.micro + excluded.micro, daily_micro = sum.daily_micro + excluded.daily_micro;

-- name: move_accruals
-- In the order of their keys: two batches never wait for each other in a circle.
insert into accrual as sum (bucket, product, product_version, business_on, micro, daily_micro, billed_minor)
select head.bucket, a.product, a.product_version, a.business_on, a.micro, a.daily_micro, a.billed_minor
  from head, unnest($2::text[], $3::integer[], $4::date[], $5::bigint[], $6::bigint[], $7::bigint[])
       as a (product, product_version, business_on, micro, daily_micro, billed_minor)
 where head.bucket = $1
 order by a.product, a.product_version, a.business_on
    on conflict (bucket, product, product_version, business_on)
    do update set micro = sum.micro + excluded.micro, daily_micro = sum.daily_micro + excluded.daily_micro,
                  billed_minor = sum.billed_minor + excluded.billed_minor;

-- name: sums_at
-- What is earned and not billed at the end of a date, by product: each row's amount, and its days since. Rows of later
-- dates say what will begin or end by itself.
select product, product_version, sum(micro + daily_micro * ($2::date - business_on))::bigint as micro,
       sum(daily_micro)::bigint as daily_micro, sum(billed_minor)::bigint as billed_minor
  from accrual
 where bucket = $1 and business_on <= $2
 group by product, product_version
 order by product, product_version;

-- name: fold_sums
-- Rows of dates that are closed become one: the table holds that one a product, and the dates to come.
with gone as (
    delete from accrual where bucket = $1 and business_on <= $2
    returning product, product_version, micro + daily_micro * ($2::date - business_on) as micro, daily_micro,
              billed_minor
)
insert into accrual (bucket, product, product_version, business_on, micro, daily_micro, billed_minor)
select head.bucket, sums.product, sums.product_version, $2, sums.micro, sums.daily_micro, sums.billed_minor
  from head,
       (select product, product_version, sum(micro)::bigint as micro, sum(daily_micro)::bigint as daily_micro,
               sum(billed_minor)::bigint as billed_minor
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

-- name: begin_reading
insert into accrual_read (bucket, seq)
select head.bucket, 0 from head where head.bucket = $1
    on conflict (bucket) do nothing;

-- name: lock_reading
-- Two closers never read the same journals: the second waits, and finds them read.
select seq from accrual_read where bucket = $1 for update;

-- name: read_ledger
-- What journals that were not read before have put on interest, by product, is added to what the earlier ones have; and all of it
-- stands beside what closes noted and events counted. One statement: both sides are of one moment, while payments go on.
-- A journal names its product in its note; one that does not has a line among its guarded accounts. Notes are summed as
-- texts first: bills of a product have the same one.
with noted_so as materialized (
    select journal.note::text as note,
           case when journal.note::text not like '%"product"%' then journal.accounts[1] end as account_id,
           -sum(leg.amount_minor) filter (where registered.kind in (32, 38)) as income_minor,
           sum(leg.amount_minor) filter (where registered.kind = 37) as accrued_minor
      from journal
     cross join lateral unnest(journal.accounts, journal.amounts) as leg (account_id, amount_minor)
      join folded_account as registered on registered.id = leg.account_id and registered.kind in (32, 37, 38)
     where journal.bucket = $1 and journal.seq > $2
       and journal.accounts && array(select id from folded_account where kind in (32, 37, 38))
     group by 1, 2
), found as materialized (
    select coalesce(noted_so.note::json ->> 'product',
                    (select line.product || '@' || line.product_version
                       from account
                       join line on line.bucket = $1 and line.id = account.owner
                      where account.bucket = $1 and account.id = noted_so.account_id), '@0') as product,
           sum(noted_so.income_minor) as income_minor, sum(noted_so.accrued_minor) as accrued_minor
      from noted_so
     group by 1
), had as materialized (
    select coalesce(old.product, new.product) as product, coalesce(old.product_version, new.product_version) as version,
           coalesce(old.income_minor, 0) + coalesce(new.income_minor, 0) as income_minor,
           coalesce(old.accrued_minor, 0) + coalesce(new.accrued_minor, 0) as accrued_minor
      from (select product, product_version, income_minor, accrued_minor from accrual_ledger where bucket = $1) as old
      full join (select split_part(product, '@', 1) as product, split_part(product, '@', 2)::integer as product_version,
                        income_minor, accrued_minor
                   from found) as new
        on new.product = old.product and new.product_version = old.product_version
), kept as (
    insert into accrual_ledger (bucket, product, product_version, income_minor, accrued_minor)
    select head.bucket, had.product, had.version, had.income_minor, had.accrued_minor
      from head, had
     where head.bucket = $1
        on conflict (bucket, product, product_version)
        do update set income_minor = excluded.income_minor, accrued_minor = excluded.accrued_minor
), read as (
    update accrual_read set seq = head.seq
      from head
     where head.bucket = $1 and accrual_read.bucket = $1
), noted as (
    select distinct on (product, product_version) product, product_version as version, accrued_minor
      from accrual_close
     where bucket = $1
     order by product, product_version, business_on desc
), billed as (
    select product, product_version as version, sum(billed_minor) as billed_minor
      from accrual
     where bucket = $1
     group by product, product_version
)
select product, version, coalesce(had.income_minor, 0)::bigint as income_minor,
       coalesce(had.accrued_minor, 0)::bigint as accrued_minor, coalesce(noted.accrued_minor, 0)::bigint as noted_minor,
       coalesce(billed.billed_minor, 0)::bigint as billed_minor
  from had
  full join noted using (product, version)
  full join billed using (product, version)
 order by product, version;

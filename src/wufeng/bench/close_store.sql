-- name: make_functions
-- Ids of a benchmark's people: born a millisecond apart, the number and its slot inside. Of a scratch database only.
create function bench_id(millisecond bigint, kind integer, n bigint) returns uuid language sql immutable
return (lpad(to_hex(millisecond), 12, '0') || '7' || lpad(to_hex(kind), 3, '0') || '8' || lpad(to_hex(n), 11, '0')
        || lpad(to_hex(n * 40503 & 65535), 4, '0'))::uuid;
create function bench_number(id uuid) returns bigint language sql immutable
return ('x' || substr(id::text, 25, 8))::bit(32)::bigint;

-- name: insert_people
insert into person (bucket, id, wallet_id, status, tier, outcome, created_at)
select slot.bucket, bench_id($4 + n, 1, n), bench_id($4 + n, 2, n), 'active', 3, 'none',
       to_timestamp(($4 + n) / 1000.0)
  from generate_series($1::bigint, $2::bigint) as n
  join slot_range as slot
    on slot.book = $3::smallint and n * 40503 & 65535 between slot.first_slot and slot.last_slot;

-- name: insert_lines
insert into line (bucket, id, person_id, limit_minor, product_version, opened_on, next_bill_on, bill_day, due_day,
                  currency, product, status, lenders, shares_ppm)
select slot.bucket, bench_id($4 + n, 3, n), bench_id($4 + n, 1, n), 5000000, $6::integer, $5::date, $7::date, 1, 10,
       'CNY', 'monthly_bill', 'open', array[$8::uuid], array[1000000]
  from generate_series($1::bigint, $2::bigint) as n
  join slot_range as slot
    on slot.book = $3::smallint and n * 40503 & 65535 between slot.first_slot and slot.last_slot;

-- name: insert_accounts
-- A wallet's account and the five of a line, as their births open them.
insert into account (bucket, id, kind, owner, currency, min_minor, max_minor)
select slot.bucket, bench_id($4 + n, kind.owner # kind.number, n), kind.number, bench_id($4 + n, kind.owner, n), 'CNY',
       kind.min_minor, kind.max_minor
  from generate_series($1::bigint, $2::bigint) as n
  join slot_range as slot
    on slot.book = $3::smallint and n * 40503 & 65535 between slot.first_slot and slot.last_slot
 cross join (values (1, 2, null, 0), (10, 3, 0, null), (11, 3, 0, null), (12, 3, 0, null), (13, 3, null, 0),
                    (14, 3, 0, null)) as kind (number, owner, min_minor, max_minor);

-- name: insert_draws
-- A draw for each $6th line of the range; each fifth line's in 12 parts with a fee. Lines are taken five at a time: as
-- many of a sample have plans as of all. Draws stand in another order than lines ($7 is the number of lines, prime to
-- 7919), as they come in life.
insert into draw (bucket, tenor, id, line_id, payment_id, merchant_id, amount_minor, unbilled_minor, product_version,
                  posted_on, billable_on, status, lenders, shares_ppm, principal_parts, fee_parts,
                  charges_open)
select slot.bucket, case when n % 5 = 0 then 12 else 1 end, bench_id($8 + place, 17, n), bench_id($4 + n, 3, n),
       bench_id($8 + place, 16, n), $9::uuid, amount_minor, amount_minor, $10::integer, $5::date, $5::date, 'posted',
       array[$11::uuid], array[1000000],
       case when n % 5 = 0 then array_fill(amount_minor / 12, array[12]) else array[amount_minor] end,
       case when n % 5 = 0 then array_fill(amount_minor * 88 / 12000, array[12]) end,
       n % 5 = 0
  from (select n, n * 7919 % $7::bigint as place, (1000 + n * 7 % 5000) * 12 as amount_minor
          from generate_series($1::bigint, $2::bigint) as n
         where n / 5 % $6::bigint = 0) as drawn
  join slot_range as slot
    on slot.book = $3::smallint and n * 40503 & 65535 between slot.first_slot and slot.last_slot
 order by place;

-- name: balance_lines
-- What the rows of draws and bills say a line owes goes to its accounts, in journals of 900 legs; the lender funds it.
with owed as materialized (
    select line.id, coalesce(d.unbilled_minor, 0) + coalesce(b.principal_minor, 0) as principal_minor,
           coalesce(b.fee_minor, 0) as fee_minor
      from line
      left join (select line_id, sum(unbilled_minor)::bigint as unbilled_minor
                   from draw where bucket = $1 and unbilled_minor > 0 group by line_id) as d on d.line_id = line.id
      left join (select line_id, sum(single_minor + instalment_minor - paid_principal_minor)::bigint as principal_minor,
                        sum(fee_minor - paid_fee_minor)::bigint as fee_minor
                   from bill where bucket = $1 group by line_id) as b on b.line_id = line.id
     where line.bucket = $1
), moved as (
    update account
       set balance_minor = case account.kind when 10 then owed.principal_minor else owed.fee_minor end
      from owed
     where account.bucket = $1 and account.owner = owed.id and account.kind in (10, 12)
       and account.balance_minor <> case account.kind when 10 then owed.principal_minor else owed.fee_minor end
    returning account.id, new.balance_minor - old.balance_minor as amount_minor
), numbered as (
    select id, amount_minor, (row_number() over (order by id) - 1) / 900 as journal from moved
), journals as (
    select row_number() over (order by journal) as n, array_agg(id) as accounts, array_agg(amount_minor) as amounts,
           sum(amount_minor)::bigint as amount_minor
      from numbered
     group by journal
), numbers as (
    update head
       set seq = seq + (select count(*) from journals)
     where bucket = $1
    returning old.seq, new.booked_at
)
insert into journal (bucket, kind, business_on, seq, at, of, guarded, currency, accounts, amounts, note)
select $1, 1, $2::date, numbers.seq + j.n, numbers.booked_at, $3::uuid, cardinality(j.accounts), 'CNY',
       j.accounts || case when j.amount_minor <> 0 then array[$3::uuid] else '{}'::uuid[] end,
       j.amounts || case when j.amount_minor <> 0 then array[-j.amount_minor] else '{}'::bigint[] end, '{}'
  from numbers, journals as j;

-- name: settle_bills
-- As if everybody had paid, but those whose bills are due on the common day: see `spread_due_dates`.
update bill
   set status = 'paid', settled = true, wake_on = null, paid_principal_minor = single_minor + instalment_minor,
       paid_fee_minor = fee_minor, counted_minor = minimum_minor
 where bucket = $1 and not settled
   and (bench_number(line_id) / 5 % 30 not in (1, 2)
        or bench_number(line_id) / 5 % 30 = 2 and bench_number(line_id) / 150 % 100 >= 13);

-- name: spread_due_dates
-- A thirtieth of the lines have a bill that is due on $2. Of another thirtieth, due the day before, 3 % have paid
-- nothing, 10 % the minimum; the others paid all of it.
update bill
   set due_on = case when n / 5 % 30 = 1 then $2::date else $2::date - 1 end,
       accrued_on = case when n / 5 % 30 = 1 then $2::date else $2::date - 1 end, wake_on = $2::date,
       counted_minor = case when n / 5 % 30 = 2 and n / 150 % 100 >= 3 then minimum_minor else 0 end,
       paid_principal_minor = case when n / 5 % 30 = 2 and n / 150 % 100 >= 3 then minimum_minor - fee_minor else 0 end,
       paid_fee_minor = case when n / 5 % 30 = 2 and n / 150 % 100 >= 3 then fee_minor else 0 end,
       status = case when n / 5 % 30 = 2 and n / 150 % 100 >= 3 then 'minimum_paid' else 'open' end
  from (select id, bench_number(line_id) as n from bill where bucket = $1 and not settled) as unsettled
 where bill.bucket = $1 and bill.id = unsettled.id;

-- name: settle_paid_bills
-- A minimum that was all of the bill has paid it.
update bill
   set status = 'paid', settled = true, wake_on = null
 where bucket = $1 and not settled and single_minor + instalment_minor + fee_minor = paid_principal_minor + paid_fee_minor;

-- name: expect_bills
-- A thirtieth of the lines have drawn since and get a bill on $2; the others' plans go on on $3.
update line
   set next_bill_on = case when bench_number(id) / 5 % 30 = 0 then $2::date else $3::date end
 where bucket = $1 and (bench_number(id) / 5 % 30 = 0 or next_bill_on is not null);

-- name: state_bytes
select sum(pg_total_relation_size(c.oid))::bigint as bytes
  from pg_class as c
 where c.relname = any($1::text[]) and c.relnamespace = 'public'::regnamespace;

-- name: copy_rows
-- The rows of the worst day before it, with the indexes and the room that they have: what plain statements touch.
create table plain_line (like line including all);
create table plain_draw (like draw including all);
create table plain_account (like account including all);
create table plain_bill (like bill including all);
create table plain_event (like event including all);
create table plain_journal (like journal including all);
alter table plain_line set (fillfactor = 80);
alter table plain_draw set (fillfactor = 85);
alter table plain_account set (fillfactor = 50);
alter table plain_bill set (fillfactor = 70);
insert into plain_line select * from line;
insert into plain_draw select * from draw;
insert into plain_account select * from account where kind = 12;

-- name: plain_lines
update plain_line set next_bill_on = line.next_bill_on, touched_on = line.touched_on
  from line
 where plain_line.bucket = $1 and line.bucket = $1 and line.id = plain_line.id;

-- name: plain_draws
update plain_draw set billed_parts = draw.billed_parts, bills = draw.bills, unbilled_minor = draw.unbilled_minor,
       charges_open = draw.charges_open
  from draw
 where plain_draw.bucket = $1 and draw.bucket = $1 and draw.id = plain_draw.id;

-- name: plain_accounts
update plain_account set balance_minor = account.balance_minor
  from account
 where plain_account.bucket = $1 and account.bucket = $1 and account.id = plain_account.id
   and account.balance_minor <> plain_account.balance_minor;

-- name: plain_bills
insert into plain_bill select * from bill where bucket = $1;

-- name: plain_events
insert into plain_event select * from event where bucket = $1;

-- name: plain_journals
insert into plain_journal select * from journal where bucket = $1 and kind = 10;

-- name: drop_copies
drop table plain_line, plain_draw, plain_account, plain_bill, plain_event, plain_journal;

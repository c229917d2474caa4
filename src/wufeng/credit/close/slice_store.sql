-- name: plan_each_slice
-- Until the end of the transaction: a plan made for arrays of any length takes them to be short and loops.
select set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: count_waiting
-- Of no bucket: a view of the server's memory.
select count(*) from pg_locks as waited where not waited.granted and pg_backend_pid() = any(pg_blocking_pids(waited.pid));

-- name: lock_lines_to_bill
-- The next lines whose bill is of that date, as far as their people can be locked without waiting: whom a payment or
-- another closer holds is met again in the next round. So nothing here waits for a person, and no order can be wrong.
with due as materialized (
    select id, person_id
      from line
     where bucket = $1 and next_bill_on = $2 and id > $3
     order by id
     limit $4
), locked as materialized (
    select person.id
      from person
     where person.bucket = $1 and person.id in (select person_id from due)
     order by person.id
       for no key update skip locked
)
select (select count(*) from due) as found, (select id from due order by id desc limit 1) as last,
       array(select due.id from due join locked on locked.id = due.person_id order by due.id) as lines;

-- name: lock_lines_to_wake
-- As above, of lines with a bill that is to be looked at on that date.
with due as materialized (
    select line.id, line.person_id
      from (select distinct line_id
              from bill
             where bucket = $1 and wake_on = $2 and line_id > $3
             order by line_id
             limit $4) as awake
      join line on line.bucket = $1 and line.id = awake.line_id
), locked as materialized (
    select person.id
      from person
     where person.bucket = $1 and person.id in (select person_id from due)
     order by person.id
       for no key update skip locked
)
select (select count(*) from due) as found, (select id from due order by id desc limit 1) as last,
       array(select due.id from due join locked on locked.id = due.person_id order by due.id) as lines;

-- name: pass_due_dates
-- Bills of lines whose people are locked, one awake bill a line: those due on the date that begins wake again on the day
-- after; those due on the one before pass their due date when their minimum was paid, and revolve. What is late is left
-- as it is, and so is every line of which anything else is true.
-- $4 to $6: plain products, versions and revolving rates. $7: next bill date by day of the month.
with due as materialized (
    select line.ctid as place, line.id, line.next_bill_on, line.bill_day, line.product, line.product_version,
           plain.revolving_daily_ppm
      from line
      join unnest($4::text[], $5::integer[], $6::integer[]) as plain (product, version, revolving_daily_ppm)
        on plain.product = line.product and plain.version = line.product_version
     where line.bucket = $1 and line.id = any($3::uuid[]) and line.status in ('open', 'frozen', 'suspended')
       and line.bill_day is not null and line.temporary_limit_minor is null and line.ended_raise_minor = 0
       and line.frozen_until_on is null
), awake as materialized (
    select bill.ctid as place, bill.id, bill.line_id, bill.due_on, due.revolving_daily_ppm, due.place as line_place,
           due.next_bill_on, due.bill_day, due.product, due.product_version,
           (bill.single_minor + bill.instalment_minor - bill.paid_principal_minor) * due.revolving_daily_ppm
           as daily_micro,
           count(*) over (partition by bill.line_id) as on_line,
           bill.wake_on = $2 and bill.daily_ppm = 0 and bill.grace_days = 0 and bill.segments is null
           and bill.interest_billed_minor = 0
           and (bill.due_on = $2 and bill.late_interest_minor = 0
                or bill.due_on = $2::date - 1 and bill.counted_minor >= bill.minimum_minor and bill.status <> 'paid'
                   and bill.single_minor + bill.instalment_minor + bill.fee_minor + bill.interest_minor
                       + bill.late_interest_minor
                       > bill.paid_principal_minor + bill.paid_fee_minor + bill.paid_interest_minor) as is_plain
      from due
      join bill on bill.bucket = $1 and bill.line_id = due.id and not bill.settled and bill.wake_on <= $2
), ready as materialized (
    select place, id, line_id, due_on, revolving_daily_ppm, line_place, next_bill_on, bill_day, product, product_version,
           daily_micro
      from awake
     where is_plain and on_line = 1
), put_off as (
    update bill
       set wake_on = ready.due_on + 1
      from ready
     where ready.due_on = $2 and bill.bucket = $1 and bill.ctid = ready.place
), passed as (
    update bill
       set status = 'minimum_paid', daily_ppm = ready.revolving_daily_ppm, accrued_on = ready.due_on, wake_on = null
      from ready
     where ready.due_on < $2 and bill.bucket = $1 and bill.ctid = ready.place
), expecting as (
    update line
       set next_bill_on = ($7::date[])[ready.bill_day], looked_on = null
      from ready
     where ready.due_on < $2 and ready.next_bill_on is null and ready.daily_micro > 0
       and line.bucket = $1 and line.ctid = ready.line_place
), earning as (
    select product, product_version, sum(daily_micro * ($2 - due_on))::bigint as micro,
           sum(daily_micro)::bigint as daily_micro
      from ready
     where due_on < $2 and daily_micro > 0
     group by product, product_version
)
select (select count(*) from ready) as rows,
       array(select id from ready where due_on = $2 order by line_id) as told,
       array(select (product, product_version, micro, daily_micro, 0::bigint) from earning) as earned;

-- name: issue_bills
-- Bills of one date for lines whose people are locked, where nothing is to be decided but sums: a plain product, all
-- earlier bills past or before their due dates, nothing in the person's favour, no subsidy. All others stay as they are.
-- What makes a line plain is a column: as conditions they let the planner expect one line, and join in loops.
-- For the same reason "is it billed" is asked of a set of lines as `(... in (select ...)) is true`, which is hashed and
-- never joined. Rows are written where they were read (ctid): nobody moves them while their person is locked. What a
-- bill has earned leaves the sum of what is earned and not billed, and with its last unit the part that stays over.
-- $4 to $6: plain products, versions and the principal's share of the minimum. $7: the next date with each day of the
-- month. $8: the first 22 hex digits of the ids; six that count lines follow, then the line's slot.
with due as materialized (
    select line.ctid as place, line.id, line.touched_on, line.bill_day, line.due_day, line.due_after_days, line.product,
           line.product_version, plain.principal_ppm,
           ($8::text || lpad(to_hex(row_number() over (order by line.id)), 6, '0') || right(line.id::text, 4))::uuid
           as bill_id,
           line.next_bill_on = $2::date and line.status in ('open', 'frozen', 'suspended')
           and line.bill_day is not null and line.temporary_limit_minor is null and line.ended_raise_minor = 0
           and line.frozen_until_on is null
           and not exists (select from account
                            where account.bucket = $1 and account.id = wufeng_account_id(line.id, 13)
                              and account.balance_minor <> 0) as is_plain
      from line
      join unnest($4::text[], $5::integer[], $6::bigint[]) as plain (product, version, principal_ppm)
        on plain.product = line.product and plain.version = line.product_version
     where line.bucket = $1 and line.id = any($3::uuid[])
), part as materialized (
    select draw.ctid as place, draw.line_id, due.bill_id, draw.id, draw.tenor, draw.billed_parts as part,
           coalesce(draw.billable_on < $2, false) as is_taken, draw.billable_on is not null as is_billable,
           draw.unbilled_minor,
           least(draw.prepaid_minor, draw.principal_parts[draw.billed_parts + 1]) as covered_minor,
           draw.principal_parts[draw.billed_parts + 1]
           - least(draw.prepaid_minor, draw.principal_parts[draw.billed_parts + 1]) as principal_minor,
           coalesce(draw.fee_parts[draw.billed_parts + 1], 0) as fee_minor,
           case when draw.tenor > 1 then coalesce(
               (select bool_or(fee.minor > 0) from unnest(draw.fee_parts[draw.billed_parts + 2 :]) as fee (minor)), false)
           else false end as charges_open,
           draw.unbilled_minor > 0 and draw.principal_parts[draw.billed_parts + 1] is not null
           and (draw.tenor > 1 or cardinality(draw.principal_parts) = draw.billed_parts + 1)
           and not coalesce((select bool_or(part.minor > 0)
                               from unnest(draw.subsidy_parts[draw.billed_parts + 1 :]) as part (minor)), false)
           and draw.daily_ppm = 0 and draw.interest_parts is null and draw.bill_dates is null and draw.due_dates is null
           and draw.segments is null as is_plain
      from due
      join draw
        on draw.bucket = $1 and draw.line_id = due.id and (draw.unbilled_minor > 0 or draw.charges_open)
     where due.is_plain
), old as materialized (
    select bill.ctid as place, bill.id, bill.line_id, bill.issued_on, bill.segments, bill.accrued_on, bill.daily_ppm,
           bill.status, bill.interest_billed_minor,
           bill.single_minor + bill.instalment_minor - bill.paid_principal_minor as principal_minor,
           bill.fee_minor - bill.paid_fee_minor + bill.interest_minor + bill.late_interest_minor
           - bill.paid_interest_minor as charges_minor,
           bill.daily_ppm > 0 and bill.accrued_on < $2::date - 1 as is_running,
           (bill.wake_on is null or bill.due_on >= $2) and not bill.bears_fees and bill.least_minor = 0
           and bill.most_minor is null as is_plain
      from due
      join bill on bill.bucket = $1 and bill.line_id = due.id and not bill.settled
     where due.is_plain
), earned as materialized (
    select old.place, old.id, old.line_id, old.issued_on, old.daily_ppm, old.status, old.principal_minor,
           old.charges_minor, old.is_running, old.is_plain, old.interest_billed_minor,
           coalesce((select sum(greatest((s ->> 2)::bigint * (s ->> 3)::bigint, coalesce((s ->> 4)::bigint, 0) * 1000000)
                                  * ((s ->> 1)::date - (s ->> 0)::date))
                       from json_array_elements(old.segments) as s), 0)::bigint
           + case when old.is_running
                  then old.principal_minor * old.daily_ppm * ($2::date - 1 - old.accrued_on) else 0 end as micro,
           case when old.is_running and old.principal_minor > 0
                then concat(coalesce(left(old.segments::text, -1) || ',', '['), '["', old.accrued_on, '","', $2::date - 1,
                            '",', old.principal_minor, ',', old.daily_ppm, ',0]]')::json
                else old.segments end as segments
      from old
), interest as materialized (
    select earned.place, earned.id, earned.line_id, earned.issued_on, earned.daily_ppm, earned.status,
           earned.principal_minor, earned.charges_minor, earned.is_running, earned.is_plain, earned.segments,
           micro - interest_billed_minor * 1000000 as unbilled_micro,
           greatest(0, micro / 1000000 - interest_billed_minor
                       + case when micro % 1000000 > 500000
                                   or micro % 1000000 = 500000 and micro / 1000000 % 2 = 1 then 1 else 0 end)
           as amount_minor
      from earned
), earlier as materialized (
    select line_id, bool_and(is_plain) as is_plain, sum(amount_minor)::bigint as interest_minor,
           sum(case when status = 'overdue' then 0 else principal_minor end)::bigint as carried_minor,
           sum(case when status = 'overdue' then principal_minor + charges_minor else charges_minor end)::bigint
           as missed_minor,
           bool_or(daily_ppm > 0 and principal_minor > 0) as is_earning,
           sum(case when amount_minor = 0 then 0 when principal_minor > 0 then amount_minor * 1000000
                    else unbilled_micro end)::bigint as released_micro,
           '[' || string_agg('["' || id || '",' || amount_minor || ',false]', ',' order by issued_on, id)
                  filter (where amount_minor > 0) || ']' as interest_of
      from interest
     group by line_id
), summed as materialized (
    select line_id,
           coalesce(sum(principal_minor) filter (where is_taken and tenor = 1), 0)::bigint as single_minor,
           coalesce(sum(principal_minor) filter (where is_taken and tenor > 1), 0)::bigint as instalment_minor,
           coalesce(sum(fee_minor) filter (where is_taken), 0)::bigint as fee_minor,
           array_agg(id order by id) filter (where is_taken) as item_draws,
           array_agg(part order by id) filter (where is_taken) as item_parts,
           array_agg(tenor order by id) filter (where is_taken) as item_tenors,
           array_agg(principal_minor order by id) filter (where is_taken) as item_principal,
           array_agg(fee_minor order by id) filter (where is_taken) as item_fee,
           array_agg(0::bigint) filter (where is_taken) as item_interest,
           bool_and(is_plain) as is_plain,
           bool_or(case when is_taken then unbilled_minor > principal_minor or charges_open else is_billable end)
           as is_to_come
      from part
     group by line_id
), billed as materialized (
    select due.place, due.id as line_id, due.touched_on, due.product, due.product_version, summed.item_draws, summed.item_parts, summed.item_tenors,
           summed.item_principal, summed.item_fee, summed.item_interest, earlier.released_micro, coalesce(summed.single_minor, 0) as single_minor,
           coalesce(summed.instalment_minor, 0) as instalment_minor, coalesce(summed.fee_minor, 0) as fee_minor,
           coalesce(earlier.interest_minor, 0) as interest_minor, coalesce(earlier.carried_minor, 0) as carried_minor,
           coalesce(earlier.missed_minor, 0) as missed_minor, earlier.interest_of::json as interest_of,
           ((coalesce(summed.single_minor, 0) + coalesce(earlier.carried_minor, 0)) * due.principal_ppm + 999999) / 1000000
           + coalesce(summed.instalment_minor, 0) + coalesce(summed.fee_minor, 0) + coalesce(earlier.interest_minor, 0)
           + coalesce(earlier.missed_minor, 0) as minimum_minor,
           coalesce($2::date + due.due_after_days, ($7::date[])[due.due_day]) as due_on,
           case when coalesce(summed.is_to_come, false) or coalesce(earlier.is_earning, false)
                then ($7::date[])[due.bill_day] end as next_bill_on,
           due.bill_id as id
      from due
      left join summed on summed.line_id = due.id
      left join earlier on earlier.line_id = due.id
     where due.is_plain and coalesce(summed.is_plain, true) and coalesce(earlier.is_plain, true)
       and coalesce(summed.single_minor + summed.instalment_minor + summed.fee_minor, 0)
           + coalesce(earlier.interest_minor, 0) > 0
), inserted as (
    insert into bill (bucket, id, line_id, issued_on, due_on, accrued_on, wake_on, settled, daily_ppm, status,
                      single_minor, instalment_minor, fee_minor, interest_minor, late_interest_minor, carried_minor,
                      missed_minor, minimum_minor, paid_principal_minor, paid_fee_minor, paid_interest_minor,
                      counted_minor, interest_billed_minor, interest_of, item_draws, item_parts, item_tenors,
                      item_principal, item_fee, item_interest, seq)
    select $1, b.id, b.line_id, $2, b.due_on, b.due_on, b.due_on, false, 0, 'open', b.single_minor, b.instalment_minor,
           b.fee_minor, b.interest_minor, 0, b.carried_minor, b.missed_minor, b.minimum_minor, 0, 0, 0, 0, 0,
           b.interest_of, coalesce(b.item_draws, '{}'), coalesce(b.item_parts, '{}'), coalesce(b.item_tenors, '{}'),
           coalesce(b.item_principal, '{}'), coalesce(b.item_fee, '{}'), coalesce(b.item_interest, '{}'),
           (select seq from head where bucket = $1)
      from billed as b
     order by b.id
), taken as (
    update draw
       set billed_parts = draw.billed_parts + 1, bills = draw.bills || part.bill_id,
           prepaid_minor = draw.prepaid_minor - part.covered_minor,
           unbilled_minor = draw.unbilled_minor - part.principal_minor, charges_open = part.charges_open
      from part
     where part.is_taken and (part.line_id in (select line_id from billed)) is true
       and draw.bucket = $1 and draw.ctid = part.place
), accrued as (
    update bill
       set accrued_on = case when old.is_running then $2::date - 1 else bill.accrued_on end, segments = old.segments,
           interest_billed_minor = bill.interest_billed_minor + old.amount_minor,
           settled = old.principal_minor + old.charges_minor = 0
      from interest as old
     where (old.daily_ppm > 0 or old.amount_minor > 0) and (old.line_id in (select line_id from billed)) is true
       and bill.bucket = $1 and bill.ctid = old.place
), moved as (
    update line
       set touched_on = greatest(billed.touched_on, $2), next_bill_on = billed.next_bill_on, looked_on = null
      from billed
     where line.bucket = $1 and line.ctid = billed.place
), charges as (
    select wufeng_account_id(line_id, 12) as account_id, fee_minor as amount_minor from billed where fee_minor > 0
     union all
    select wufeng_account_id(line_id, 11), interest_minor from billed where interest_minor > 0
), charged as (
    update account
       set balance_minor = account.balance_minor + charges.amount_minor
      from charges
     where account.bucket = $1 and account.id = charges.account_id
    returning account.id
), earning as (
    select product, product_version, -sum(released_micro)::bigint as micro, 0::bigint as daily_micro,
           sum(interest_minor)::bigint as billed_minor
      from billed
     where released_micro <> 0
     group by product, product_version
)
select array(select id from billed order by line_id) as bills, (select count(*) from charges) as charges,
       (select count(*) from charged) as charged,
       array(select (product, product_version, micro, daily_micro, billed_minor) from earning) as earned;

-- name: tell_bills
-- Events about bills, and the journals of those just issued. Texts and journals are made before the head is locked: its
-- numbers are asked for with their count. Nothing of these bills has accrued: they are not past their due date.
-- $5 to $8: texts of the parts of a bill, as JSON between its quotes.
with told as materialized (
    select bill.id, bill.line_id, line.person_id, line.currency, line.lenders, line.shares_ppm,
           line.product || '@' || line.product_version as product, bill.fee_minor, bill.interest_minor,
           row_number() over (order by bill.line_id) as n,
           convert_to(concat(
               '{"id":"bil_', wufeng_id_text(half.high, half.low), '","object":"bill","created_at":"',
               to_char(to_timestamp((half.high >> 16) / 1000) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'),
               case when (half.high >> 16) % 1000 > 0
                    then '.' || lpad(((half.high >> 16) % 1000)::text, 3, '0') || '000' end,
               'Z","line":"lin_', wufeng_id_text(half.line_high, half.line_low), '","status":"', bill.status,
               '","currency":"', line.currency, '","issued_on":"', bill.issued_on, '","due_on":"', bill.due_on,
               '","total_minor":', total.minor, ',"minimum_minor":', bill.minimum_minor,
               ',"paid_minor":', total.paid_minor, ',"unpaid_minor":', total.minor - total.paid_minor,
               ',"accrued_minor":0,"parts":[', ltrim(concat(
                   case when bill.single_minor > 0 then concat(
                       ',{"kind":"purchases","amount_minor":', bill.single_minor, ',"explain":"',
                       replace($5::text, '{count}', item.singles::text), '"}') end,
                   case when bill.instalment_minor > 0 then concat(
                       ',{"kind":"instalments","amount_minor":', bill.instalment_minor, ',"explain":"',
                       replace($6::text, '{count}', item.plans::text), '"}') end,
                   case when bill.fee_minor > 0 then concat(
                       ',{"kind":"instalment_fees","amount_minor":', bill.fee_minor, ',"explain":"',
                       replace($7::text, '{count}', item.plans::text), '"}') end,
                   case when bill.interest_minor > 0 then concat(
                       ',{"kind":"interest","amount_minor":', bill.interest_minor, ',"explain":"',
                       replace($8::text, '{count}', json_array_length(bill.interest_of)::text), '"}') end), ','),
               '],"items":[', item.text, ']}'), 'UTF8') as data
      from bill
      join line on line.bucket = $1 and line.id = bill.line_id
     cross join lateral (
           select substr(uuid_send(bill.id), 1, 8)::bigint as high, substr(uuid_send(bill.id), 9, 8)::bigint as low,
                  substr(uuid_send(line.id), 1, 8)::bigint as line_high,
                  substr(uuid_send(line.id), 9, 8)::bigint as line_low,
                  substr(uuid_send(bill.item_draws[1]), 1, 8)::bigint as draw_high,
                  substr(uuid_send(bill.item_draws[1]), 9, 8)::bigint as draw_low
           offset 0) as half
     cross join lateral (
           select bill.single_minor + bill.instalment_minor + bill.fee_minor + bill.interest_minor
                  + bill.late_interest_minor as minor,
                  bill.paid_principal_minor + bill.paid_fee_minor + bill.paid_interest_minor as paid_minor) as total
     cross join lateral (
           select cardinality(array_positions(bill.item_tenors, 1::smallint)) as singles,
                  cardinality(bill.item_tenors) - cardinality(array_positions(bill.item_tenors, 1::smallint)) as plans,
                  case when cardinality(bill.item_draws) = 1 then concat(
                      '{"draw":"drw_', wufeng_id_text(half.draw_high, half.draw_low), '","instalment":',
                      bill.item_parts[1] + 1, ',"tenor":', bill.item_tenors[1], ',"principal_minor":',
                      bill.item_principal[1], ',"fee_minor":', bill.item_fee[1], ',"interest_minor":',
                      coalesce(bill.item_interest[1], 0), '}')
                  else (select string_agg(concat(
                                   '{"draw":"drw_', wufeng_id_text(i.high, i.low), '","instalment":', i.part + 1,
                                   ',"tenor":', i.tenor, ',"principal_minor":', i.principal_minor,
                                   ',"fee_minor":', i.fee_minor, ',"interest_minor":', coalesce(i.interest_minor, 0),
                                   '}'), ',' order by i.place)
                          from (select substr(uuid_send(a.draw), 1, 8)::bigint as high,
                                       substr(uuid_send(a.draw), 9, 8)::bigint as low, a.part, a.tenor,
                                       a.principal_minor, a.fee_minor, a.interest_minor, a.place
                                  from unnest(bill.item_draws, bill.item_parts, bill.item_tenors, bill.item_principal,
                                              bill.item_fee, bill.item_interest)
                                       with ordinality
                                       as a (draw, part, tenor, principal_minor, fee_minor, interest_minor, place)
                                offset 0) as i) end as text) as item
     where bill.bucket = $1 and bill.id = any($3::uuid[])
), charges as materialized (
    select row_number() over (order by told.n) as n, told.id, told.currency, told.product,
           own.accounts || share.accounts as accounts, own.amounts || share.amounts as amounts,
           cardinality(own.accounts) as guarded
      from told
     cross join lateral (
           select array_agg(wufeng_account_id(told.line_id, o.kind) order by o.kind) as accounts,
                  array_agg(o.amount_minor order by o.kind) as amounts
             from (values (11, told.interest_minor), (12, told.fee_minor)) as o (kind, amount_minor)
            where o.amount_minor > 0) as own
     cross join lateral (
           select array_agg(wufeng_account_id(p.lender, p.kind) order by p.kind, p.place) as accounts,
                  array_agg(-p.amount_minor order by p.kind, p.place) as amounts
             from (select s.lender, s.place, o.kind,
                          o.amount_minor * s.share_ppm / 1000000
                          + case when s.place = 1
                                 then o.amount_minor
                                      - sum(o.amount_minor * s.share_ppm / 1000000) over (partition by o.kind)::bigint
                                 else 0 end as amount_minor
                     from (values (32, told.interest_minor), (33, told.fee_minor)) as o (kind, amount_minor)
                    cross join unnest(told.lenders, told.shares_ppm) with ordinality as s (lender, share_ppm, place)
                    where o.amount_minor > 0) as p
            where p.amount_minor <> 0) as share
     where $4 = 'bill.issued' and told.interest_minor + told.fee_minor > 0
), counted as materialized (
    select (select count(*) from charges) as charges, (select count(*) from told) as told
), numbers as (
    update head
       set seq = head.seq + counted.charges + counted.told, booked_at = greatest(head.booked_at, $9)
      from counted
     where head.bucket = $1 and (head.closed_through is null or head.closed_through < $2)
    returning head.seq - counted.charges - counted.told as seq, head.booked_at, counted.charges
), written as (
    insert into journal (bucket, kind, business_on, seq, at, of, guarded, currency, accounts, amounts, note)
    select $1, 10, $2, numbers.seq + c.n, numbers.booked_at, c.id, c.guarded, c.currency, c.accounts, c.amounts,
           ('{"product":"' || c.product || '"}')::json
      from numbers, charges as c
     order by c.n
)
insert into event (bucket, seq, kind, object_id, person_id, at, business_on, data)
select $1, numbers.seq + numbers.charges + told.n, $4, told.id, told.person_id, numbers.booked_at, $2, told.data
  from numbers, told
 order by told.n;

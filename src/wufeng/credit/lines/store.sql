-- name: load_lines
-- Without a lock: the lock of the person guards a line.
select id, person_id, product, product_version, currency, lenders, shares_ppm, limit_minor, status, bill_day, due_day,
       opened_on, touched_on, next_bill_on, past_due_since, suspend_on, auto_debit, temporary_limit_minor,
       temporary_until_on, ended_raise_minor, frozen_until_on, charge_off_on,
       charged_off_on, tier, due_after_days, earlier_limit_minor
  from line
 where bucket = $1 and id = any($2::uuid[]);

-- name: load_lines_of_people
select id, person_id, product, product_version, currency, lenders, shares_ppm, limit_minor, status, bill_day, due_day,
       opened_on, touched_on, next_bill_on, past_due_since, suspend_on, auto_debit, temporary_limit_minor,
       temporary_until_on, ended_raise_minor, frozen_until_on, charge_off_on,
       charged_off_on, tier, due_after_days, earlier_limit_minor
  from line
 where bucket = $1 and person_id = any($2::uuid[])
 order by id;

-- name: load_capped_lines
-- The cap in the same statement: payments pay for every statement of a batch.
select l.id, l.person_id, l.product, l.product_version, l.currency, l.lenders, l.shares_ppm, l.limit_minor, l.status,
       l.bill_day, l.due_day, l.opened_on, l.touched_on, l.next_bill_on, l.past_due_since, l.suspend_on, l.auto_debit,
       l.temporary_limit_minor, l.temporary_until_on, l.ended_raise_minor, l.frozen_until_on, l.charge_off_on,
       l.charged_off_on, l.tier, l.due_after_days, l.earlier_limit_minor, c.cap_minor
  from line as l
  left join credit_cap as c on c.bucket = $1 and c.person_id = l.person_id
 where l.bucket = $1 and l.person_id = any($2::uuid[])
 order by l.id;

-- name: load_caps
select person_id, cap_minor
  from credit_cap
 where bucket = $1 and person_id = any($2::uuid[]) and cap_minor is not null;

-- name: set_caps
insert into credit_cap as cap (bucket, person_id, cap_minor, set_at)
select head.bucket, c.person_id, c.cap_minor, $4
  from head, unnest($2::uuid[], $3::bigint[]) as c (person_id, cap_minor)
 where head.bucket = $1
    on conflict (bucket, person_id) do update set cap_minor = excluded.cap_minor, set_at = excluded.set_at;

-- name: insert_lines
insert into line (bucket, id, person_id, product, product_version, currency, lenders, shares_ppm, limit_minor, status,
                  bill_day, due_day, opened_on, tier, due_after_days)
select head.bucket, l.id, l.person_id, l.product, l.product_version, l.currency, l.lenders::uuid[],
       l.shares_ppm::integer[], l.limit_minor, l.status, l.bill_day, l.due_day, l.opened_on, l.tier,
       l.due_after_days
  from head, unnest($2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                    $10::text[], $11::smallint[], $12::smallint[], $13::date[], $14::text[],
                    $15::smallint[])
       as l (id, person_id, product, product_version, currency, lenders, shares_ppm, limit_minor, status, bill_day,
             due_day, opened_on, tier, due_after_days)
 where head.bucket = $1;

-- name: update_lines
-- What may change of a line, all of it at once. The day close looks again at a line that is closed.
update line
   set limit_minor = l.limit_minor, status = l.status, due_day = l.due_day, touched_on = l.touched_on,
       next_bill_on = l.next_bill_on, past_due_since = l.past_due_since, suspend_on = l.suspend_on,
       auto_debit = l.auto_debit::text[], temporary_limit_minor = l.temporary_limit_minor,
       temporary_until_on = l.temporary_until_on, ended_raise_minor = l.ended_raise_minor,
       frozen_until_on = l.frozen_until_on, charge_off_on = l.charge_off_on,
       charged_off_on = l.charged_off_on, due_after_days = l.due_after_days,
       earlier_limit_minor = l.earlier_limit_minor, looked_on = null
  from unnest($2::uuid[], $3::bigint[], $4::text[], $5::smallint[], $6::date[], $7::date[], $8::date[], $9::date[],
              $10::text[], $11::bigint[], $12::date[], $13::bigint[], $14::date[], $15::date[], $16::date[],
              $17::smallint[], $18::bigint[])
       as l (id, limit_minor, status, due_day, touched_on, next_bill_on, past_due_since, suspend_on, auto_debit,
             temporary_limit_minor, temporary_until_on, ended_raise_minor, frozen_until_on, charge_off_on,
             charged_off_on, due_after_days, earlier_limit_minor)
 where line.bucket = $1 and line.id = l.id;

-- name: expect_bills
-- Only the first draw of a cycle moves the date: the others do not touch the row.
update line
   set next_bill_on = l.next_bill_on
  from unnest($2::uuid[], $3::date[]) as l (id, next_bill_on)
 where line.bucket = $1 and line.id = l.id
   and (line.next_bill_on is null or line.next_bill_on > l.next_bill_on);

-- name: insert_changes
-- $14: journals of the batch so far, which take the next numbers.
insert into line_change (bucket, id, line_id, kind, actor, actor_id, reason, limit_minor, amount_minor, until_on,
                         due_day_was, due_after_days_was, at, seq)
select head.bucket, c.id, c.line_id, c.kind, c.actor, c.actor_id, c.reason, c.limit_minor, c.amount_minor, c.until_on,
       c.due_day_was, c.due_after_days_was, c.at, head.seq + $14
  from head, unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::bigint[],
                    $9::bigint[], $10::date[], $11::smallint[], $12::smallint[], $13::timestamptz[])
       as c (id, line_id, kind, actor, actor_id, reason, limit_minor, amount_minor, until_on, due_day_was,
             due_after_days_was, at)
 where head.bucket = $1;

-- name: count_changes
select line_id, count(*)::integer as count
  from line_change
 where bucket = $1 and line_id = any($2::uuid[]) and kind = $3 and at > $4
 group by line_id;

-- name: lines_to_suspend
select id, person_id from line where bucket = $1 and suspend_on <= $2 order by suspend_on, id limit $3;

-- name: count_suspended
select count(*) from line where bucket = any($1) and status = 'suspended';

-- name: lines_to_bill
select id, person_id from line where bucket = $1 and next_bill_on <= $2 order by next_bill_on, id limit $3;

-- name: lines_to_end
-- One index holds them all (line_to_end), and its condition stands here word for word.
select id, person_id
  from line
 where bucket = $1
   and (temporary_until_on is not null or frozen_until_on is not null or status = 'closing'
        or (status = 'closed' and looked_on is null))
   and (temporary_until_on < $2 or frozen_until_on <= $2
        or (status in ('closing', 'closed') and (looked_on is null or looked_on < $2)))
 order by id
 limit $3;

-- name: mark_looked
update line set looked_on = $3 where bucket = $1 and id = any($2::uuid[]);

-- name: page_of_changes
select id, line_id, kind, actor, actor_id, reason, limit_minor, amount_minor, until_on, due_day_was,
       due_after_days_was, at, seq
  from line_change
 where bucket = $1 and line_id = $2 and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: load_changes
select id, line_id, kind, actor, actor_id, reason, limit_minor, amount_minor, until_on, due_day_was,
       due_after_days_was, at, seq
  from line_change
 where bucket = $1 and line_id = $2
 order by at, id;

-- name: load_lines
-- Without a lock: the lock of the person guards a line.
select id, person_id, product, product_version, currency, lenders, shares_ppm, limit_minor, status, bill_day, due_day,
       opened_on, touched_on, next_bill_on, past_due_since, suspend_on, auto_debit
  from line
 where bucket = $1 and id = any($2::uuid[]);

-- name: load_lines_of_people
select id, person_id, product, product_version, currency, lenders, shares_ppm, limit_minor, status, bill_day, due_day,
       opened_on, touched_on, next_bill_on, past_due_since, suspend_on, auto_debit
  from line
 where bucket = $1 and person_id = any($2::uuid[])
 order by id;

-- name: insert_lines
insert into line (bucket, id, person_id, product, product_version, currency, lenders, shares_ppm, limit_minor, status,
                  bill_day, due_day, opened_on)
select head.bucket, l.id, l.person_id, l.product, l.product_version, l.currency, l.lenders::uuid[],
       l.shares_ppm::integer[], l.limit_minor, l.status, l.bill_day, l.due_day, l.opened_on
  from head, unnest($2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::text[], $9::bigint[],
                    $10::text[], $11::smallint[], $12::smallint[], $13::date[])
       as l (id, person_id, product, product_version, currency, lenders, shares_ppm, limit_minor, status, bill_day,
             due_day, opened_on)
 where head.bucket = $1;

-- name: update_lines
-- What may change of a line, all of it at once.
update line
   set limit_minor = l.limit_minor, status = l.status, due_day = l.due_day, touched_on = l.touched_on,
       next_bill_on = l.next_bill_on, past_due_since = l.past_due_since, suspend_on = l.suspend_on,
       auto_debit = l.auto_debit::text[]
  from unnest($2::uuid[], $3::bigint[], $4::text[], $5::smallint[], $6::date[], $7::date[], $8::date[], $9::date[],
              $10::text[])
       as l (id, limit_minor, status, due_day, touched_on, next_bill_on, past_due_since, suspend_on, auto_debit)
 where line.bucket = $1 and line.id = l.id;

-- name: expect_bills
-- Only the first draw of a cycle moves the date: the others do not touch the row.
update line
   set next_bill_on = l.next_bill_on
  from unnest($2::uuid[], $3::date[]) as l (id, next_bill_on)
 where line.bucket = $1 and line.id = l.id
   and (line.next_bill_on is null or line.next_bill_on > l.next_bill_on);

-- name: insert_changes
insert into line_change (bucket, id, line_id, kind, actor, actor_id, reason, limit_minor, at)
select head.bucket, c.id, c.line_id, c.kind, c.actor, c.actor_id, c.reason, c.limit_minor, c.at
  from head, unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::uuid[], $7::text[], $8::bigint[],
                    $9::timestamptz[])
       as c (id, line_id, kind, actor, actor_id, reason, limit_minor, at)
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

-- name: lines_to_debit
-- What is due and not paid is tried once a date, until it is paid.
select id, person_id
  from line
 where bucket = $1 and auto_debit is not null and (debited_on is null or debited_on < $2)
   and exists (select from bill
                where bill.bucket = $1 and bill.line_id = line.id and not bill.settled and bill.due_on <= $2
                  and bill.status <> 'paid')
 order by id
 limit $3;

-- name: mark_debited
update line set debited_on = $3 where bucket = $1 and id = any($2::uuid[]);

-- name: load_changes
select id, line_id, kind, actor, actor_id, reason, limit_minor, at
  from line_change
 where bucket = $1 and line_id = $2
 order by at, id;

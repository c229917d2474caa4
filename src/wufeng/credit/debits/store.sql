-- name: load_tries
select line_id, tried_on, tries from debit_try where bucket = $1 and line_id = any($2::uuid[]);

-- name: mark_tried
insert into debit_try as tried (bucket, line_id, tried_on, tries)
select head.bucket, l.id, $3, $4
  from head, unnest($2::uuid[]) as l (id)
 where head.bucket = $1
    on conflict (bucket, line_id) do update set tried_on = excluded.tried_on, tries = excluded.tries;

-- name: lines_of_date
-- What is due and not paid, line by line behind $3, $4: once a date, by the due dates of bills and not by all lines.
select bill.due_on, line.id as line_id, line.person_id
  from bill
  join line on line.bucket = $1 and line.id = bill.line_id
  left join debit_try as tried on tried.bucket = $1 and tried.line_id = line.id
 where bill.bucket = $1 and bill.due_on <= $2 and not bill.settled and bill.status <> 'paid'
   and (bill.due_on, bill.line_id) > ($3::date, $4::uuid)
   and line.auto_debit is not null and (tried.tried_on is null or tried.tried_on < $2)
 order by bill.due_on, bill.line_id
 limit $5;

-- name: lines_of_hour
-- What is due on the very date and not paid, of some versions of products, as far as fewer than $6 tries were made.
select bill.due_on, line.id as line_id, line.person_id
  from bill
  join line on line.bucket = $1 and line.id = bill.line_id
  join unnest($4::text[], $5::integer[]) as p (product, version)
    on p.product = line.product and p.version = line.product_version
  left join debit_try as tried on tried.bucket = $1 and tried.line_id = line.id
 where bill.bucket = $1 and bill.due_on = $2 and not bill.settled and bill.status <> 'paid' and bill.line_id > $3
   and line.auto_debit is not null
   and (tried.tried_on is null or tried.tried_on < $2 or (tried.tried_on = $2 and tried.tries < $6))
 order by bill.line_id
 limit $7;

-- name: pending_minor
select line_id, sum(amount_minor)::bigint as amount_minor
  from repayment
 where bucket = $1 and line_id = any($2::uuid[]) and status = 'pending'
 group by line_id;

-- name: insert_debits
insert into debit (bucket, repayment_id, line_id, tried_on, number)
select head.bucket, d.repayment_id, d.line_id, $4, $5
  from head, unnest($2::uuid[], $3::uuid[]) as d (repayment_id, line_id)
 where head.bucket = $1;

-- name: load_debits
select repayment_id, line_id, tried_on, number from debit where bucket = $1 and repayment_id = any($2::uuid[]);

-- name: refused_sources
-- Refused in this very try, or for good: an account that its bank has closed is not asked again.
select distinct r.line_id, r.source_id
  from repayment as r
  left join debit as d on d.bucket = $1 and d.repayment_id = r.id
 where r.bucket = $1 and r.line_id = any($2::uuid[]) and r.status = 'failed'
   and (r.reason = $5 or (d.tried_on = $3 and d.number = $4));

-- name: people_of_lines
select id, person_id from line where bucket = $1 and id = any($2::uuid[]);

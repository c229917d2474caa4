-- name: insert_repayments
-- $16: journals of the batch so far, which take the next numbers.
insert into repayment (bucket, id, line_id, person_id, source, source_id, status, amount_minor, principal_minor,
                       charges_minor, value_on, posted_on, plan, allocation, created_at, asked_seq)
select head.bucket, r.id, r.line_id, r.person_id, r.source, r.source_id, r.status, r.amount_minor, r.principal_minor,
       r.charges_minor, r.value_on, r.posted_on, r.plan, r.allocation, r.created_at,
       case r.status when 'pending' then head.seq + $16 end
  from head, unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::uuid[], $7::text[], $8::bigint[], $9::bigint[],
                    $10::bigint[], $11::date[], $12::date[], $13::uuid[], $14::json[], $15::timestamptz[])
       as r (id, line_id, person_id, source, source_id, status, amount_minor, principal_minor, charges_minor, value_on,
             posted_on, plan, allocation, created_at)
 where head.bucket = $1;

-- name: update_repayments
update repayment
   set status = r.status, principal_minor = r.principal_minor, charges_minor = r.charges_minor,
       returned_minor = r.returned_minor, value_on = r.value_on, posted_on = r.posted_on, allocation = r.allocation,
       reason = r.reason, asked_seq = r.asked_seq
  from unnest($2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::date[], $8::date[], $9::json[],
              $10::text[], $11::bigint[])
       as r (id, status, principal_minor, charges_minor, returned_minor, value_on, posted_on, allocation, reason,
             asked_seq)
 where repayment.bucket = $1 and repayment.id = r.id;

-- name: load_repayments
select id, line_id, person_id, source, source_id, status, amount_minor, principal_minor, returned_minor, value_on,
       posted_on, plan, allocation, reason, created_at, asked_seq
  from repayment
 where bucket = $1 and id = any($2::uuid[]);

-- name: load_repayments_of_line
select id, line_id, person_id, source, source_id, status, amount_minor, principal_minor, returned_minor, value_on,
       posted_on, plan, allocation, reason, created_at, asked_seq
  from repayment
 where bucket = $1 and line_id = $2
 order by id;

-- name: lines_pending
select distinct line_id from repayment where bucket = $1 and line_id = any($2::uuid[]) and status = 'pending';

-- name: load_pending
select id, line_id, person_id, source, source_id, status, amount_minor, principal_minor, returned_minor, value_on,
       posted_on, plan, allocation, reason, created_at, asked_seq
  from repayment
 where bucket = $1 and line_id = any($2::uuid[]) and status = 'pending'
 order by id;

-- name: load_returnable
-- What refunds may still give back, the latest repayment first: what it pays that has not gone back with a refund, and
-- never more than is left of what came. What refunds sent that count from before it is not among what it pays. What came
-- another way has nowhere to go back to.
select id, line_id, source, source_id, least(paid_minor, came_minor - returned_minor) as amount_minor
  from (select id, line_id, source, source_id, amount_minor as came_minor, returned_minor,
               principal_minor + charges_minor - (returned_minor - returned_later_minor) as paid_minor
          from repayment
         where bucket = $1 and line_id = any($2::uuid[]) and status = 'posted' and source <> 'external') as came
 where paid_minor > 0 and came_minor > returned_minor
 order by id desc;

-- name: add_returned
update repayment
   set returned_minor = repayment.returned_minor + r.amount_minor,
       returned_later_minor = repayment.returned_later_minor + r.later_minor
  from (select back.id, sum(back.amount_minor)::bigint as amount_minor,
               coalesce(sum(back.amount_minor) filter (where back.later), 0)::bigint as later_minor
          from unnest($2::uuid[], $3::bigint[], $4::boolean[]) as back (id, amount_minor, later)
         group by back.id) as r
 where repayment.bucket = $1 and repayment.id = r.id;

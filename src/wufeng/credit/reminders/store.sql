-- name: lines_to_remind
-- By the due dates of bills ($3, and with their products $4, $5, $6), line by line behind $7, $8: not by all bills.
select distinct bill.due_on, line.id as line_id, line.person_id
  from bill
  join line on line.bucket = $1 and line.id = bill.line_id
  join unnest($4::text[], $5::integer[], $6::date[]) as p (product, version, due_on)
    on p.product = line.product and p.version = line.product_version and p.due_on = bill.due_on
  left join reminder on reminder.bucket = $1 and reminder.bill_id = bill.id
 where bill.bucket = $1 and bill.due_on = any($3::date[]) and not bill.settled and bill.issued_on < $2
   and (bill.status = 'overdue' or (bill.due_on >= $2 and bill.status <> 'paid'))
   and (reminder.reminded_on is null or reminder.reminded_on < $2)
   and (bill.due_on, line.id) > ($7::date, $8::uuid)
 order by bill.due_on, line.id
 limit $9;

-- name: load_reminded
select bill_id, reminded_on from reminder where bucket = $1 and bill_id = any($2::uuid[]);

-- name: mark_reminded
insert into reminder (bucket, bill_id, reminded_on)
select head.bucket, b.id, $3
  from head, unnest($2::uuid[]) as b (id)
 where head.bucket = $1
    on conflict (bucket, bill_id) do update set reminded_on = excluded.reminded_on;

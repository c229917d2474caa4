-- name: insert_refunds
-- Draws and what was returned come as text: arrays of different lengths cannot go through unnest.
insert into draw_refund (bucket, id, line_id, draws, amount_minor, value_on, posted_on, returned, merchants_fault,
                         subsidy_returned_minor, undone)
select head.bucket, r.id, r.line_id, r.draws::uuid[], r.amount_minor, r.value_on, r.posted_on, r.returned,
       r.merchants_fault, r.subsidy_returned_minor, r.undone
  from head, unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::date[], $7::json[], $8::boolean[],
                    $9::bigint[], $10::date[], $11::boolean[])
       as r (id, line_id, draws, amount_minor, value_on, returned, merchants_fault, subsidy_returned_minor,
             posted_on, undone)
 where head.bucket = $1;

-- name: is_refunded_since
select exists (select 1
                 from draw_refund
                 join journal on journal.bucket = draw_refund.bucket and journal.of = draw_refund.id
                where draw_refund.bucket = $1 and draw_refund.line_id = $2 and journal.seq > $3);

-- name: load_returned
select id, returned from draw_refund where bucket = $1 and id = any($2::uuid[]);

-- name: update_returned
update draw_refund
   set returned = r.returned
  from unnest($2::uuid[], $3::json[]) as r (id, returned)
 where draw_refund.bucket = $1 and draw_refund.id = r.id;

-- name: load_refunds_of_line
select id, draws, amount_minor, value_on, posted_on, returned, merchants_fault, subsidy_returned_minor, undone
  from draw_refund
 where bucket = $1 and line_id = $2
 order by id;

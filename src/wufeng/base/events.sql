-- name: take_numbers
-- The head is locked last and held until commit, so numbers are given in the order of commits and have no holes.
-- No row: the business date is closed.
update head
   set seq = seq + $2, booked_at = greatest(booked_at, $3)
 where bucket = $1 and (closed_through is null or closed_through < $4)
returning seq - $2 + 1 as first_seq, booked_at;

-- name: write_events
-- Composite values, in the table's own order of columns.
insert into event (bucket, seq, kind, object_id, person_id, merchant_id, at, business_on, data)
select e.bucket, e.seq, e.kind, e.object_id, e.person_id, e.merchant_id, e.at, e.business_on, e.data
  from head, unnest($2::event[]) as e
 where head.bucket = $1;

-- name: close_date
-- Whoever closes the date first moves it; a second closer, or a second run, changes nothing.
update head set closed_through = $2 where bucket = $1 and (closed_through is null or closed_through < $2);

-- name: load_closed
-- The first business date of a bucket that was never closed is that of its first journal or event.
select head.closed_through,
       least((select business_on from journal where bucket = $1 and seq = 1),
             (select business_on from event where bucket = $1 and seq = 1)) as first_on
  from head
 where head.bucket = $1;

-- name: closed_through
select closed_through from head where bucket = any($1::smallint[]);

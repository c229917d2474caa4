-- name: take_numbers
-- The head is locked last and held until commit, so numbers are given in the order of commits and have no holes.
-- No row: the business date is closed.
update head
   set seq = seq + $2, booked_at = greatest(booked_at, $3)
 where bucket = $1 and (closed_through is null or closed_through < $4)
returning seq - $2 + 1 as first_seq, booked_at;

-- name: write_events
insert into event (bucket, seq, kind, object_id, person_id, merchant_id, at, business_on, data)
select $1, $2 + e.n - 1, e.kind, e.object_id, e.person_id, e.merchant_id, $3, e.business_on, e.data
  from unnest($4::text[], $5::uuid[], $6::uuid[], $7::uuid[], $8::date[], $9::bytea[])
       with ordinality as e (kind, object_id, person_id, merchant_id, business_on, data, n);

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

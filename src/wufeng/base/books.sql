-- name: load_books
select id, name, mode, currency, time_zone, cut_off, clock_offset_us from book order by id;

-- name: load_slot_ranges
select book, first_slot, bucket from slot_range order by book, first_slot;

-- name: insert_book
insert into book (id, name, mode, currency, time_zone, cut_off, clock_offset_us, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: insert_slot_ranges
insert into slot_range (book, first_slot, last_slot, bucket)
select $1, r.first_slot, r.last_slot, r.bucket
  from unnest($2::int[], $3::int[], $4::smallint[]) as r (first_slot, last_slot, bucket);

-- name: insert_heads
insert into head (bucket, book, booked_at) select b.bucket, $1, $3 from unnest($2::smallint[]) as b (bucket);

-- name: turn_clock
-- A clock is only turned forward: instants of one book never decrease.
update book set clock_offset_us = greatest(clock_offset_us, $2) where id = $1 and mode = 'test';

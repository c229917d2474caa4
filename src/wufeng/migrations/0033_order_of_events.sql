-- The order in which a line's history happened: bills and changes of lines take no number of their own, so they keep
-- the one that the bucket had come to. Both are read by a line's history alone, which puts what has none first in its day.

alter table bill add column if not exists seq bigint;
comment on column bill.seq is 'the bucket''s last number when it was issued: what has a greater one came after it';

alter table line_change add column if not exists seq bigint;
comment on column line_change.seq is
    'the bucket''s last number when it was made; null of those before this column: taken as the first of their day';

update bill
   set seq = event.seq
  from event
 where event.bucket = bill.bucket and event.object_id = bill.id and event.kind = 'bill.issued' and bill.seq is null;

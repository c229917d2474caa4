-- name: record_rows
-- In the transaction of the rows themselves: a close that is killed and run again counts each row once.
insert into close_run as run (bucket, business_on, step, row_count, at)
values ($1, $2, $3, $4, $5)
    on conflict (bucket, business_on, step) do update set row_count = run.row_count + excluded.row_count;

-- name: record_finished
-- Steps may have counted in their own transactions: never less than what is recorded.
insert into close_run as run (bucket, business_on, step, row_count, at)
select head.bucket, $2, s.step, s.row_count, $5
  from head, unnest($3::text[], $4::bigint[]) as s (step, row_count)
 where head.bucket = $1
    on conflict (bucket, business_on, step) do update set row_count = greatest(run.row_count, excluded.row_count);

-- name: load_runs
select business_on, step, row_count
  from close_run
 where bucket = any($1::smallint[]) and business_on >= $2 and business_on <= $3
 order by business_on, step;

-- name: load_last_finished
select max(business_on) as business_on from close_run where bucket = $1 and step = $2;

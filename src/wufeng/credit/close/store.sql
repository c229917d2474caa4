-- name: record_rows
-- In the transaction of the rows themselves: a close that is killed and run again counts each row once.
insert into close_run as run (bucket, business_on, step, row_count, at)
values ($1, $2, $3, $4, $5)
    on conflict (bucket, business_on, step) do update set row_count = run.row_count + excluded.row_count;

-- name: record_finished
-- Steps may have counted in their own transactions: never less than what is recorded. Time adds up over the runs; errors
-- are those of the last, a line each.
insert into close_run as run (bucket, business_on, step, row_count, at, took_ms, errors)
select head.bucket, $2, s.step, s.row_count, $5, s.took_ms, coalesce(string_to_array(nullif(s.errors, ''), E'\n'), '{}')
  from head, unnest($3::text[], $4::bigint[], $6::bigint[], $7::text[]) as s (step, row_count, took_ms, errors)
 where head.bucket = $1
    on conflict (bucket, business_on, step)
    do update set row_count = greatest(run.row_count, excluded.row_count), took_ms = run.took_ms + excluded.took_ms,
                  errors = excluded.errors;

-- name: load_step_runs
-- The newest date first, its steps as they were run.
select bucket, business_on, step, row_count, took_ms, errors
  from close_run
 where bucket = any($1::smallint[]) and business_on >= $2 and business_on <= $3 and step <> $4
 order by business_on desc, step, bucket;

-- name: load_runs
select business_on, step, row_count
  from close_run
 where bucket = any($1::smallint[]) and business_on >= $2 and business_on <= $3
 order by business_on, step;

-- name: load_last_finished
select max(business_on) as business_on from close_run where bucket = $1 and step = $2;

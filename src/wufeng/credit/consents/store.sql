-- name: insert_withdrawal
insert into consent_withdrawal (bucket, application_id, purpose, line_id, withdrawn_at)
select head.bucket, $2, $3, $4, $5
  from head
 where head.bucket = $1
    on conflict (bucket, application_id, purpose) do nothing;

-- name: withdrawn_of
select application_id, purpose, withdrawn_at
  from consent_withdrawal
 where bucket = $1 and application_id = any($2::uuid[]);

-- name: stopped_lines
select distinct line_id from consent_withdrawal where bucket = $1 and line_id = any($2::uuid[]);

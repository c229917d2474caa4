-- name: insert_verification
insert into identity_check (bucket, id, person_id, method, kind, status, reason, checks, tier, name, document, evidence,
                          asked_at, created_at, answered_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, $14);

-- name: list_verifications
select id, person_id, method, kind, status, reason, checks, tier, created_at, answered_at
  from identity_check
 where bucket = $1 and person_id = $2 and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: count_since
select count(*) as count from identity_check
 where bucket = $1 and person_id = $2 and method = 'outside' and created_at > $3;

-- name: has_pending
select exists (select from identity_check where bucket = $1 and person_id = $2 and status = 'pending') as is_pending;

-- name: load_passed_checks
select distinct c.name
  from identity_check as v, unnest(v.checks) as c (name)
 where v.bucket = $1 and v.person_id = $2 and v.status = 'passed';

-- name: lock_pending
-- Whoever answers first answers; the person's row is locked before it.
select id, person_id, kind, name, document, evidence, asks
  from identity_check
 where bucket = $1 and id = $2 and status = 'pending'
   for update;

-- name: load_pending
select id, person_id, kind, name, document, evidence, asks
  from identity_check
 where bucket = $1 and status = 'pending' and asked_at <= $2
 order by asked_at
 limit $3;

-- name: load_pending_of_person
select id, person_id, kind, name, document, evidence, asks
  from identity_check
 where bucket = $1 and person_id = $2 and status = 'pending';

-- name: note_asked
update identity_check set asks = asks + 1, asked_at = $3 where bucket = $1 and id = $2 and status = 'pending'
returning asks;

-- name: answer_verification
-- What was claimed is not kept here beyond the answer.
update identity_check
   set status = $3, reason = $4, checks = $5, tier = $6, answered_at = $7, name = null, document = null, evidence = null
 where bucket = $1 and id = $2 and status = 'pending'
returning id, person_id, method, kind, status, reason, checks, tier, created_at, answered_at;

-- name: load_verification
select id, person_id, method, kind, status, reason, checks, tier, created_at, answered_at
  from identity_check where bucket = $1 and id = $2;

-- name: end_of_person
update identity_check
   set status = 'refused', reason = 'no_answer', answered_at = $3, name = null, document = null, evidence = null
 where bucket = $1 and person_id = $2 and status = 'pending';

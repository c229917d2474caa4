-- name: insert_claims
-- In order, so that two batches never wait for each other in a circle. Claims live in the buckets of their own hashes,
-- the one exception to "one bucket a transaction".
insert into key_claim (bucket, id, digest, created_at)
select c.bucket, c.id, c.digest, $4
  from unnest($1::smallint[], $2::uuid[], $3::bytea[]) with ordinality as c (bucket, id, digest, n)
 order by c.n
    on conflict (bucket, id) do nothing
returning id;

-- name: load_claims
select id, digest, status, answer, object_id from key_claim where bucket = any($1::smallint[]) and id = any($2::uuid[]);

-- name: answer_claims
update key_claim as claim
   set status = a.status, answer = a.answer, object_id = a.object_id
  from unnest($1::smallint[], $2::uuid[], $3::smallint[], $4::bytea[], $5::uuid[])
       as a (bucket, id, status, answer, object_id)
 where claim.bucket = a.bucket and claim.id = a.id;

-- name: release_claims
delete from key_claim where bucket = any($1::smallint[]) and id = any($2::uuid[]) and status is null;

-- name: forget_claims
delete from key_claim
 where bucket = $1
   and id in (select id from key_claim where bucket = $1 and created_at < $2 limit $3)
returning id;

-- name: insert_entries
insert into audit_entry
       (bucket, id, by_kind, by_id, credential_id, operation, object_prefix, object_id, reason, request_id, at)
select a.bucket, a.id, a.by_kind, a.by_id, a.credential_id, a.operation, a.object_prefix, a.object_id, a.reason,
       a.request_id, a.at
  from unnest($1::smallint[], $2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::uuid[],
              $9::text[], $10::text[], $11::timestamptz[])
       as a (bucket, id, by_kind, by_id, credential_id, operation, object_prefix, object_id, reason, request_id, at);

-- name: list_entries
select id, by_kind, by_id, credential_id, operation, object_prefix, object_id, reason, request_id, at
  from audit_entry
 where bucket = $1 and object_id = $2 and id < $3
 order by id desc
 limit $4;

-- name: insert_challenge
insert into passkey_challenge (bucket, id, purpose, person_id, digest, challenge, created_at, expires_at)
values ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: take_challenge
-- Used up by the first answer, right or wrong, to whatever it was meant for, and committed before it is verified:
-- of any number at once, one is.
update passkey_challenge set used_at = $7
 where bucket = $1 and id = $2 and challenge = $3 and used_at is null and expires_at > $7
returning purpose = $4 and (person_id is null or person_id = $5) and digest is not distinct from $6 as fits;

-- name: forget_challenges
delete from passkey_challenge
 where (bucket, id) in (select bucket, id from passkey_challenge where bucket = $1 and expires_at <= $2 limit $3)
returning id;

-- name: insert_passkey
insert into passkey (bucket, id, person_id, credential_id, public_key, sign_count, name, device_id, status,
                     created_at, changed_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'active', $9, $9)
    on conflict (bucket, person_id, credential_id) where status <> 'deleted' do nothing
returning id;

-- name: load_passkey
select id, person_id, credential_id, public_key, sign_count, name, device_id, status, created_at, used_at
  from passkey
 where bucket = $1 and person_id = $2 and credential_id = $3 and status = 'active';

-- name: list_passkeys
select id, person_id, credential_id, public_key, sign_count, name, device_id, status, created_at, used_at
  from passkey
 where bucket = $1 and person_id = $2 and status <> 'deleted'
 order by id desc;

-- name: advance_count
-- The guard is the counter: of two answers with one count, one is right.
update passkey set sign_count = $3, used_at = $4
 where bucket = $1 and id = $2 and status = 'active' and (sign_count < $3 or (sign_count = 0 and $3 = 0))
returning id;

-- name: move_status
update passkey set status = $4, changed_at = $5
 where bucket = $1 and id = $2 and status = any($3::text[])
returning id;

-- name: rename_passkey
update passkey set name = $4
 where bucket = $1 and id = $2 and person_id = $3 and status <> 'deleted'
returning id, person_id, credential_id, public_key, sign_count, name, device_id, status, created_at, used_at;

-- name: delete_passkey
update passkey set status = 'deleted', changed_at = $4
 where bucket = $1 and id = $2 and person_id = $3 and status <> 'deleted'
returning id, person_id, credential_id, public_key, sign_count, name, device_id, status, created_at, used_at;

-- name: delete_of_device
update passkey set status = 'deleted', changed_at = $3 where bucket = $1 and device_id = $2 and status <> 'deleted';

-- name: delete_on_devices
update passkey set status = 'deleted', changed_at = $3
 where bucket = $1 and person_id = $2 and device_id is not null and status <> 'deleted';

-- name: erase_of_person
delete from passkey where bucket = $1 and person_id = $2;

-- name: insert_device
insert into device (bucket, id, person_id, name, secret_hash, created_at, seen_at)
values ($1, $2, $3, $4, $5, $6, $6);

-- name: see_device
-- The secret is compared by its hash, so the time it takes tells nothing; a device of another person is unknown.
update device set seen_at = $5
 where bucket = $1 and id = $2 and person_id = $3 and secret_hash = $4 and revoked_at is null
returning name;

-- name: load_living
select id, person_id, name, created_at, seen_at, trusted_at
  from device
 where bucket = $1 and id = any($2::uuid[]) and revoked_at is null;

-- name: list_devices
select id, person_id, name, created_at, seen_at, trusted_at
  from device
 where bucket = $1 and person_id = $2 and revoked_at is null and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: trust_device
update device set trusted_at = $3
 where bucket = $1 and id = $2 and trusted_at is null and revoked_at is null;

-- name: revoke_device
update device set revoked_at = $4
 where bucket = $1 and id = $2 and person_id = $3 and revoked_at is null
returning id, person_id, name, created_at, seen_at, trusted_at;

-- name: revoke_of_person
update device set revoked_at = $3 where bucket = $1 and person_id = $2 and revoked_at is null;

-- name: forget_names
-- What people call their devices is about them.
update device set name = '' where bucket = $1 and person_id = $2 and name <> '';

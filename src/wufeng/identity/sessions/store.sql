-- name: insert_session
insert into session (bucket, id, person_id, secret_hash, device, created_at, expires_at, pin_at, passkey_at, device_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: load_sessions
-- The clock comes along, so that expiry and business dates are the book's of this moment.
select s.id, s.person_id, s.secret_hash, s.expires_at, s.pin_at, s.passkey_at, s.revoked_at, s.device_id,
       d.trusted_at is not null as device_trusted, b.clock_offset_us
  from book as b, session as s
  left join device as d on d.bucket = $1 and d.id = s.device_id
 where s.bucket = $1 and s.id = any($2::uuid[]) and b.id = $3;

-- name: list_sessions
select id, person_id, created_at, expires_at, pin_at, passkey_at, device_id, device as device_name
  from session
 where bucket = $1 and person_id = $2 and revoked_at is null and expires_at > $3 and ($4::uuid is null or id < $4)
 order by id desc
 limit $5;

-- name: rotate_session
-- Only a living one: of two at once, one gets the new session.
update session set revoked_at = $3 where bucket = $1 and id = $2 and revoked_at is null and expires_at > $3
returning person_id, device, device_id, expires_at, pin_at, passkey_at;

-- name: revoke_session
update session set revoked_at = $4
 where bucket = $1 and id = $2 and person_id = $3 and revoked_at is null and expires_at > $4
returning id, person_id, created_at, expires_at, pin_at, passkey_at, device_id, device as device_name;

-- name: forget_devices
-- What people call their devices is about them.
update session set device = '' where bucket = $1 and person_id = $2 and device <> '';

-- name: revoke_of_person
update session set revoked_at = $3
 where bucket = $1 and person_id = $2 and revoked_at is null and id is distinct from $4
returning id, person_id, created_at, expires_at, pin_at, passkey_at, device_id, device as device_name;

-- name: revoke_of_device
update session set revoked_at = $3 where bucket = $1 and device_id = $2 and revoked_at is null;

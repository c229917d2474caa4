-- name: insert_staff
insert into staff (id, login, name, password_hash, role, books, status, created_at)
values ($1, $2, $3, $4, $5, $6, 'active', $7)
    on conflict (login) do nothing
returning id;

-- name: list_staff
select id, login, name, role, books, status, created_at from staff order by login;

-- name: load_staff
select id, login, name, role, books, status, created_at from staff where login = $1;

-- name: take_try
-- Taken, and committed, before the password is verified. After the last one all are refused until some time has passed.
update staff
   set tries = case when tried_at <= $4 then 1 else tries + 1 end, tried_at = $2
 where login = $1 and status = 'active' and (tries < $3 or tried_at <= $4)
returning id, login, name, role, books, status, created_at, password_hash;

-- name: forgive_tries
update staff set tries = 0 where id = $1;

-- name: set_password
update staff set password_hash = $2, tries = 0 where login = $1 and status = 'active' returning id;

-- name: set_role
update staff set role = $2 where login = $1 and status = 'active' returning id;

-- name: close_staff
update staff set status = 'closed' where login = $1 and status = 'active' returning id;

-- name: insert_session
-- Only while the password that was proved still stands: a change under way ends first, and is then seen.
insert into staff_session (id, staff_id, book, secret_hash, created_at, expires_at)
select $1, m.id, $3, $4, $5, $6
  from staff as m
 where m.id = $2 and m.status = 'active' and m.password_hash = $7
   for share
returning id;

-- name: load_sessions
select s.id, s.staff_id, s.book, s.secret_hash, s.expires_at, s.revoked_at, m.role, m.status, b.clock_offset_us
  from staff_session as s
  join staff as m on m.id = s.staff_id
  join book as b on b.id = s.book
 where s.id = any($1::uuid[]);

-- name: revoke_session
update staff_session set revoked_at = $2 where id = $1 and revoked_at is null;

-- name: revoke_of_staff
update staff_session set revoked_at = $2 where staff_id = $1 and revoked_at is null;

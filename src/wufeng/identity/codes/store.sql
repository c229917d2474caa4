-- name: issue_code
-- A new code ends the old one and its tries. The guard counts sends in an hour; no row: there were too many.
insert into one_time_code as c (bucket, phone_name, purpose, code_hash, tries, sends, window_at, expires_at, used_at)
values ($1, $2, $3, $4, 0, 1, $5, $6, null)
    on conflict (bucket, phone_name, purpose) do update
   set code_hash = excluded.code_hash,
       tries = 0,
       sends = case when c.window_at <= $7 then 1 else c.sends + 1 end,
       window_at = case when c.window_at <= $7 then excluded.window_at else c.window_at end,
       expires_at = excluded.expires_at,
       used_at = null
 where c.window_at <= $7 or c.sends < $8
returning c.sends;

-- name: forget_codes
delete from one_time_code
 where (bucket, phone_name, purpose) in (
       select bucket, phone_name, purpose from one_time_code
        where bucket = $1 and window_at < $2 and expires_at < $3 limit $4)
returning phone_name;

-- name: load_window
select window_at from one_time_code where bucket = $1 and phone_name = $2 and purpose = $3;

-- name: try_code
-- One statement takes the try, compares and uses the code up: of any number at once, five are compared and one wins.
-- The comparison is of keyed hashes, so its timing tells nothing.
update one_time_code
   set tries = tries + 1,
       used_at = case when code_hash = $4 then $5 end
 where bucket = $1 and phone_name = $2 and purpose = $3
   and used_at is null and expires_at > $5 and tries < $6
returning tries, used_at is not null as ok;

-- name: insert_message
insert into message (bucket, id, phone_name, purpose, code, text, created_at) values ($1, $2, $3, $4, $5, $6, $7);

-- name: load_messages
select id, purpose, code, text, created_at
  from message
 where bucket = $1 and phone_name = $2
   and ($3::uuid is null or number < (select m.number from message as m where m.bucket = $1 and m.id = $3))
 order by number desc
 limit $4;

-- name: choose
-- $4: whether a choice is made now. The row is locked until the transaction ends, so a device has one handle.
insert into pay_choice as c (bucket, device_id, person_id, use_wallet, line_id, tenor, chosen_at)
values ($1, $2, $3, $5, $6, $7, $8)
    on conflict (bucket, device_id) do update
   set use_wallet = case when $4 then excluded.use_wallet else c.use_wallet end,
       line_id = case when $4 then excluded.line_id else c.line_id end,
       tenor = case when $4 then excluded.tenor else c.tenor end,
       chosen_at = case when $4 then excluded.chosen_at else c.chosen_at end
 where c.person_id = excluded.person_id
returning use_wallet, line_id, tenor, handle_name;

-- name: load_choice
select use_wallet, line_id, tenor, handle_name from pay_choice where bucket = $1 and device_id = $2;

-- name: set_handle
update pay_choice set handle_name = $3 where bucket = $1 and device_id = $2;

-- name: stop
update pay_choice as c
   set handle_name = null, stopped_at = $4
  from (select handle_name from pay_choice where bucket = $1 and device_id = $2 for update) as before
 where c.bucket = $1 and c.device_id = $2 and c.person_id = $3
returning before.handle_name;

-- name: insert_handle
insert into pay_handle (bucket, name, person_id, device_id, secret, created_at)
values ($1, $2, $3, $4, $5, $6)
    on conflict (bucket, name) do nothing
returning name;

-- name: delete_handle
delete from pay_handle where bucket = $1 and name = $2;

-- name: load_handles
select name, person_id, device_id, secret, tries from pay_handle where bucket = $1 and name = any($2::uuid[]);

-- name: spend_try
update pay_handle set tries = tries + 1 where bucket = $1 and name = $2 and tries < $3;

-- name: forgive_tries
update pay_handle set tries = 0 where bucket = $1 and name = $2 and tries = $3;

-- name: insert_code
insert into pay_code (bucket, name, person_id, device_id, created_at, expires_at) values ($1, $2, $3, $4, $5, $6);

-- name: load_codes
select name, person_id, device_id, created_at, expires_at from pay_code where bucket = $1 and name = any($2::uuid[]);

-- name: load_standings
-- Who may act on which device is identity's to say: signed_in_device is its view.
select asked.device_id, asked.code_id, choice.person_id, choice.handle_name, choice.stopped_at, choice.use_wallet,
       choice.line_id, choice.tenor,
       exists (select from signed_in_device as live
                where live.bucket = $1 and live.device_id = asked.device_id and live.person_id = choice.person_id
                  and live.expires_at > $4) as is_live,
       exists (select from pay_code_use as used where used.bucket = $1 and used.code_id = asked.code_id) as is_used
  from unnest($2::uuid[], $3::uuid[]) as asked (device_id, code_id)
  join pay_choice as choice on choice.bucket = $1 and choice.device_id = asked.device_id;

-- name: count_miss
insert into pay_code_miss as m (bucket, name, window_at, misses) values ($1, $2, $3, 1)
    on conflict (bucket, name) do update
   set misses = case when m.window_at <= $4 then 1 else m.misses + 1 end,
       window_at = case when m.window_at <= $4 then excluded.window_at else m.window_at end
returning misses, window_at;

-- name: forget_codes
delete from pay_code
 where (bucket, name) in (select bucket, name from pay_code where bucket = $1 and expires_at < $2 limit $3)
returning name;

-- name: forget_misses
delete from pay_code_miss
 where (bucket, name) in (select bucket, name from pay_code_miss where bucket = $1 and window_at < $2 limit $3)
returning name;

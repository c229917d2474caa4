-- name: make_helpers
-- Phones to be enrolled, and whose they are. It belongs to the owner of a scratch database and is never part of an
-- installation.
create unlogged table bench_phone (
    bucket smallint not null, device_id uuid not null, person_id uuid not null, line_id uuid not null,
    handle_bucket smallint not null, handle_name uuid not null, secret bytea not null
);
comment on table bench_phone is 'reference table: of a benchmark';

-- name: insert_phones
-- Those that pay: their handles and sealed secrets are real.
insert into bench_phone (bucket, device_id, person_id, line_id, handle_bucket, handle_name, secret)
select p.bucket, p.device_id, p.person_id, p.line_id, p.handle_bucket, p.handle_name, p.secret
  from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::uuid[], $5::smallint[], $6::uuid[], $7::bytea[])
       as p (bucket, device_id, person_id, line_id, handle_bucket, handle_name, secret);

-- name: fill_phones
-- The crowd among which those that pay are found: $1 more phones of the same people. A handle's bucket is that of its
-- last sixteen bits: $2 the buckets, $3 the first slot of each.
insert into bench_phone (bucket, device_id, person_id, line_id, handle_bucket, handle_name, secret)
select p.bucket, gen_random_uuid(), p.person_id, p.line_id,
       ($2::smallint[])[width_bucket(('x' || right(crowd.name::text, 4))::bit(16)::int, $3::int[])],
       crowd.name, decode(md5(crowd.name::text) || md5(crowd.n::text) || repeat('00', 29), 'hex')
  from (select n, gen_random_uuid() as name from generate_series(1, $1::int) as n) as crowd
  join (select row_number() over () - 1 as place, bucket, person_id, line_id
          from (select distinct bucket, person_id, line_id from bench_phone) as one) as p
    on p.place = crowd.n % (select count(distinct person_id) from bench_phone);

-- name: enrol_devices
insert into device (bucket, id, person_id, name, secret_hash, created_at, seen_at)
select bucket, device_id, person_id, 'bench', '\x00', $1, $1 from bench_phone;

-- name: enrol_sessions
insert into session (bucket, id, person_id, secret_hash, device, created_at, expires_at, device_id)
select bucket, gen_random_uuid(), person_id, '\x00', 'bench', $1::timestamptz, $1::timestamptz + interval '90 days', device_id from bench_phone;

-- name: enrol_choices
insert into pay_choice (bucket, device_id, person_id, handle_name, use_wallet, line_id, tenor, chosen_at)
select bucket, device_id, person_id, handle_name, false, line_id, 1, $1 from bench_phone;

-- name: enrol_handles
insert into pay_handle (bucket, name, person_id, device_id, secret, created_at)
select handle_bucket, handle_name, person_id, device_id, secret, $1 from bench_phone;

-- name: drop_helpers
drop table bench_phone;

-- name: analyse
vacuum (analyze) device, session, pay_choice, pay_handle;

-- name: load_sums
select person_id, day_on, year, balance_minor, balance_year_minor, balance_few_minor, balance_two_minor, static_minor,
       code_few_minor, code_two_minor, offline_minor
  from payment_sum
 where bucket = $1 and person_id = any($2::uuid[]);

-- name: store_sums
insert into payment_sum (bucket, person_id, day_on, year, balance_minor, balance_year_minor, balance_few_minor,
                         balance_two_minor, static_minor, code_few_minor, code_two_minor, offline_minor)
select head.bucket, s.person_id, s.day_on, s.year, s.balance_minor, s.balance_year_minor, s.balance_few_minor,
       s.balance_two_minor, s.static_minor, s.code_few_minor, s.code_two_minor, s.offline_minor
  from head,
       unnest($2::uuid[], $3::int[], $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
       as s (person_id, day_on, year, balance_minor, balance_year_minor, balance_few_minor, balance_two_minor,
             static_minor, code_few_minor, code_two_minor, offline_minor)
 where head.bucket = $1
    on conflict (bucket, person_id) do update
   set day_on = excluded.day_on, year = excluded.year, balance_minor = excluded.balance_minor,
       balance_year_minor = excluded.balance_year_minor, balance_few_minor = excluded.balance_few_minor,
       balance_two_minor = excluded.balance_two_minor, static_minor = excluded.static_minor,
       code_few_minor = excluded.code_few_minor, code_two_minor = excluded.code_two_minor,
       offline_minor = excluded.offline_minor;

-- name: load_features
-- The payers' person rows are locked already, so these rows cannot change under the batch.
select person_id, packed from feature where bucket = $1 and person_id = any($2::uuid[]);

-- name: load_listed
select list, member_id from risk_list_member where member_id = any($1::uuid[]);

-- name: write_features
insert into feature (bucket, person_id, packed)
select $1, f.person_id, f.packed from unnest($2::uuid[], $3::bytea[]) as f (person_id, packed)
    on conflict (bucket, person_id) do update set packed = excluded.packed;

-- name: write_decisions
-- Reasons and rules are words parted by blanks: arrays of arrays do not unnest by row.
insert into decision (bucket, id, payment_id, payer_id, merchant_id, amount_minor, at, outcome, reasons, rules,
                      policy, product, auth_level, features)
select $1, d.*
  from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::timestamptz[], $8::text[],
              $9::text[], $10::text[], $11::text[], $12::text[], $13::smallint[], $14::bytea[]) as d;

-- name: load_decision
select id, payment_id, payer_id, merchant_id, amount_minor, at, outcome, reasons, rules, policy, product, auth_level,
       features
  from decision
 where bucket = $1 and id = $2;

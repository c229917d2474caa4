-- name: load_known
-- What is known of payers, and of the lists they and the merchants stand on, in one round trip. The payers' person rows
-- are locked already, so their features cannot change under the batch.
select person_id as id, packed, null::text as list from feature where bucket = $1 and person_id = any($2::uuid[])
 union all
select member_id, null, list from risk_list_member where member_id = any($2::uuid[] || $3::uuid[]);

-- name: record_decisions
-- Decisions are composite values, in the table's own order of columns. Reasons and rules are words parted by blanks.
-- The features of payers whose payments were let through are rewritten in the same round trip.
with kept as (
    insert into feature (bucket, person_id, packed)
    select head.bucket, f.person_id, f.packed
      from head, unnest($3::uuid[], $4::bytea[]) as f (person_id, packed)
     where head.bucket = $1
        on conflict (bucket, person_id) do update set packed = excluded.packed
)
insert into decision (bucket, id, payment_id, payer_id, merchant_id, amount_minor, at, outcome, reasons, rules,
                      policy, product, confirmation, features)
select d.bucket, d.id, d.payment_id, d.payer_id, d.merchant_id, d.amount_minor, d.at, d.outcome, d.reasons, d.rules,
       d.policy, d.product, d.confirmation, d.features
  from head, unnest($2::decision[]) as d
 where head.bucket = $1;

-- name: load_decision
select id, payment_id, payer_id, merchant_id, amount_minor, at, outcome, reasons, rules, policy, product, confirmation,
       features
  from decision
 where bucket = $1 and id = $2;

-- name: add_member
insert into risk_list_member (list, member_id, reason, added_at, added_by)
values ($1, $2, $3, $4, $5)
    on conflict (list, member_id) do nothing
returning member_id;

-- name: remove_member
delete from risk_list_member where list = $1 and member_id = $2 returning member_id;

-- name: list_members
select list, member_id, reason, added_at, added_by
  from risk_list_member
 where list = $1 and ($2::uuid is null or member_id > $2)
 order by member_id
 limit $3;

-- name: insert_policy
insert into policy (id, version, effective_from, content_hash, source, created_at)
values ($1, $2, $3, $4, $5, $6)
    on conflict (id, version) do nothing;

-- name: load_policies
select id, version, content_hash, source from policy order by id, version;

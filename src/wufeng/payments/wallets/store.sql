-- name: insert_movements
insert into wallet_movement (bucket, id, kind, status, person_id, wallet_id, bank_account_id, amount_minor, currency,
                             asked_on, created_at)
select $1, m.id, m.kind, 'pending', m.person_id, m.wallet_id, m.bank_account_id, m.amount_minor, m.currency,
       m.asked_on, m.created_at
  from unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::uuid[], $7::bigint[], $8::text[], $9::date[],
              $10::timestamptz[])
       as m (id, kind, person_id, wallet_id, bank_account_id, amount_minor, currency, asked_on, created_at);

-- name: end_movements
-- The guard is in the where: one that has its answer does not move, and the caller counts.
update wallet_movement as movement
   set status = m.status, posted_on = m.posted_on, failure = m.failure
  from unnest($2::uuid[], $3::text[], $4::date[], $5::text[]) as m (id, status, posted_on, failure)
 where movement.bucket = $1 and movement.id = m.id and movement.status = 'pending'
returning movement.id;

-- name: load_movements
select id, kind, status, person_id, wallet_id, bank_account_id, amount_minor, currency, asked_on, posted_on, failure, created_at
  from wallet_movement
 where bucket = $1 and id = any($2::uuid[]);

-- name: list_movements
select id, kind, status, person_id, wallet_id, bank_account_id, amount_minor, currency, asked_on, posted_on, failure, created_at
  from wallet_movement
 where bucket = $1 and wallet_id = $2 and ($3::text is null or kind = $3) and ($4::uuid is null or id < $4)
 order by id desc
 limit $5;

-- name: load_usage
-- A top-up from before midnight that is still under way counts as pending, not as today's.
select wallet_id,
       coalesce(sum(amount_minor) filter (where kind = 'top_up' and asked_on = $3), 0)::bigint as top_ups_today_minor,
       coalesce(sum(amount_minor) filter (where kind = 'withdrawal' and asked_on = $3), 0)::bigint as withdrawals_today_minor,
       coalesce(sum(amount_minor) filter (where kind = 'top_up' and status = 'pending'), 0)::bigint as top_ups_pending_minor
  from wallet_movement
 where bucket = $1 and wallet_id = any($2::uuid[]) and status <> 'failed'
   and (asked_on = $3 or status = 'pending')
 group by wallet_id;

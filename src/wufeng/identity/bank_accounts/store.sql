-- name: insert_account
-- The same number once a person, unless it was deleted; no row: it is there already.
insert into bank_account (bucket, id, person_id, bank, number, number_name, status, created_at, changed_at)
values ($1, $2, $3, $4, $5, $6, 'unverified', $7, $7)
    on conflict (bucket, person_id, number_name) where status <> 'deleted' do nothing
returning id;

-- name: load_accounts
select a.id, a.person_id, a.bank, a.number, a.status, a.created_at, d.sealed_key
  from bank_account as a
  join personal_data as d on d.bucket = $1 and d.person_id = a.person_id
 where a.bucket = $1 and a.id = any($2::uuid[]) and a.status <> 'deleted';

-- name: list_accounts
select a.id, a.person_id, a.bank, a.number, a.status, a.created_at, d.sealed_key
  from bank_account as a
  join personal_data as d on d.bucket = $1 and d.person_id = a.person_id
 where a.bucket = $1 and a.person_id = $2 and a.status <> 'deleted' and a.id > $3
 order by a.id
 limit $4;

-- name: list_unverified
select id from bank_account where bucket = $1 and status = 'unverified' order by id limit $2;

-- name: move_status
update bank_account set status = $4, changed_at = $5
 where bucket = $1 and id = $2 and status = any($3::text[])
returning person_id;

-- name: delete_of_person
update bank_account set status = 'deleted', changed_at = $3
 where bucket = $1 and person_id = $2 and status <> 'deleted';

-- name: delete_account
update bank_account set status = 'deleted', changed_at = $4
 where bucket = $1 and id = $2 and person_id = $3 and status <> 'deleted'
returning id;

-- name: load_under_way
-- Deleted ones too: what is under way with an account still ends.
select a.id, a.person_id, a.bank, a.number, a.status, a.created_at, d.sealed_key
  from bank_account as a
  join personal_data as d on d.bucket = $1 and d.person_id = a.person_id
 where a.bucket = $1 and a.id = any($2::uuid[]);

-- name: count_verified
select person_id, count(*)::integer as count
  from bank_account
 where bucket = $1 and person_id = any($2::uuid[]) and status = 'verified'
 group by person_id;

-- name: load_states
select id, person_id, status from bank_account where bucket = $1 and id = any($2::uuid[]);

-- name: lock_people
-- In id order, so that two batches never wait for each other in a circle. "No key": nothing refers to the key's change.
select id, status, tier, outcome, wallet_id, cooling_until
  from person
 where bucket = $1 and id = any($2::uuid[])
 order by id
   for no key update;

-- name: share_person
-- Before anything else of the person is written: a freeze that is under way ends first, and is then seen.
select status from person where bucket = $1 and id = $2 for share;

-- name: insert_names
-- In order, as all claims are; a name that another transaction is claiming is waited for.
insert into name_claim (bucket, kind, id, object_id, created_at)
select n.bucket, n.kind, n.id, n.object_id, $5
  from unnest($1::smallint[], $2::text[], $3::uuid[], $4::uuid[]) with ordinality as n (bucket, kind, id, object_id, place)
 order by n.place
    on conflict (bucket, kind, id) do nothing
returning id;

-- name: load_names
select claim.id, claim.object_id
  from unnest($1::smallint[], $2::text[], $3::uuid[]) as n (bucket, kind, id)
  join name_claim as claim on claim.bucket = n.bucket and claim.kind = n.kind and claim.id = n.id;

-- name: give_names
-- Rare: within a batch a name passed from a refused command to a later one.
update name_claim as claim set object_id = n.object_id
  from unnest($1::smallint[], $2::text[], $3::uuid[], $4::uuid[]) as n (bucket, kind, id, object_id)
 where claim.bucket = n.bucket and claim.kind = n.kind and claim.id = n.id;

-- name: release_names
-- Only the owner's: a name that has passed to somebody else stays theirs.
delete from name_claim as claim
 using unnest($1::smallint[], $2::text[], $3::uuid[], $4::uuid[]) as n (bucket, kind, id, object_id)
 where claim.bucket = n.bucket and claim.kind = n.kind and claim.id = n.id and claim.object_id = n.object_id;

-- name: insert_people
insert into person (bucket, id, wallet_id, status, tier, outcome, created_at, cooling_until)
select $1, p.id, p.wallet_id, 'active', p.tier, p.outcome, p.created_at, p.cooling_until
  from unnest($2::uuid[], $3::uuid[], $4::smallint[], $5::text[], $6::timestamptz[], $7::timestamptz[])
       as p (id, wallet_id, tier, outcome, created_at, cooling_until);

-- name: insert_personal_data
insert into personal_data (bucket, person_id, sealed_key, phone_name, phone, external_id, name, document)
select $1, p.person_id, p.sealed_key, p.phone_name, p.phone, p.external_id, p.name, p.document
  from unnest($2::uuid[], $3::bytea[], $4::uuid[], $5::bytea[], $6::bytea[], $7::bytea[], $8::bytea[])
       as p (person_id, sealed_key, phone_name, phone, external_id, name, document);

-- name: load_people
select p.id, p.wallet_id, p.status, p.tier, p.outcome, p.created_at, p.cooling_until,
       d.sealed_key, d.phone, d.external_id, d.name
  from person as p
  left join personal_data as d on d.bucket = $1 and d.person_id = p.id
 where p.bucket = $1 and p.id = any($2::uuid[]);

-- name: load_documents
select person_id, sealed_key, document from personal_data where bucket = $1 and person_id = any($2::uuid[]);

-- name: load_keys
select person_id, sealed_key from personal_data where bucket = $1 and person_id = any($2::uuid[]);

-- name: load_phones
select person_id, sealed_key, phone_name, phone from personal_data where bucket = $1 and person_id = any($2::uuid[]);

-- name: load_person_of_wallet
select id from person where bucket = $1 and wallet_id = $2;

-- name: load_wallets
select id, wallet_id from person where bucket = $1 and id = any($2::uuid[]);

-- name: load_standing
select status, wallet_id from person where bucket = $1 and id = $2;

-- name: move_status
-- The guard is in the where: a person who stands elsewhere does not move.
update person set status = $4 where bucket = $1 and id = $2 and status = any($3::text[]) returning id;

-- name: destroy_personal_data
delete from personal_data where bucket = $1 and person_id = $2 returning phone_name, sealed_key, external_id, document;

-- name: list_people
select id from person where bucket = any($1::smallint[]) and id > $2 order by id limit $3;

-- name: load_phone_names
-- Of those who may act: a frozen person's phone may be in other hands.
select d.person_id, d.phone_name
  from personal_data as d
  join person as p on p.bucket = d.bucket and p.id = d.person_id
 where d.bucket = any($1::smallint[]) and d.person_id = any($2::uuid[]) and p.status = 'active';

-- name: set_identity
update personal_data set name = $3, document = $4 where bucket = $1 and person_id = $2;

-- name: raise_tier
-- A tier never falls by itself.
update person set tier = greatest(tier, $3) where bucket = $1 and id = $2;

-- name: begin_cooling
-- The longer one holds; greatest() passes over null.
update person set cooling_until = greatest(cooling_until, $3) where bucket = $1 and id = $2;

-- name: change_phone
-- The guard is the number before: of two changes at once, one wins.
update personal_data set phone_name = $3, phone = $4, phone_changed_at = $5
 where bucket = $1 and person_id = $2 and phone_name = $6
returning person_id;

-- name: load_phone_changed_at
select phone_changed_at from personal_data where bucket = $1 and person_id = $2;

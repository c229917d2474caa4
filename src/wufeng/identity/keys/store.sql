-- name: insert_key
insert into api_key (id, book, kind, owner_id, name, prefix, secret_hash, scopes, created_at, addresses)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);

-- name: load_keys
-- The clock comes along, so that business dates are the book's of this moment.
select k.id, k.book, k.kind, k.owner_id, k.name, k.prefix, k.secret_hash, k.scopes, k.created_at, k.revoked_at,
       k.last_used_on, k.addresses, b.clock_offset_us
  from api_key as k
  join book as b on b.id = k.book
 where k.id = any($1::uuid[]);

-- name: list_keys
select k.id, k.book, k.kind, k.owner_id, k.name, k.prefix, k.secret_hash, k.scopes, k.created_at, k.revoked_at,
       k.last_used_on, k.addresses
  from api_key as k
 where k.book = $1 and k.owner_id = $2 and k.id > $3
 order by k.id
 limit $4;

-- name: revoke_key
update api_key set revoked_at = $4 where id = $1 and book = $2 and owner_id = $3 and revoked_at is null returning id;

-- name: mark_used
-- At most once a day a key, and never by the request itself.
update api_key set last_used_on = $2 where id = any($1::uuid[]) and (last_used_on is null or last_used_on < $2);

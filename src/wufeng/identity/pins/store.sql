-- name: take_try
-- Taken, and committed, before the PIN is verified: of any number of guesses at once, five are verified.
update payment_pin
   set tries = tries + 1, tried_at = $3
 where bucket = $1 and person_id = $2 and tries < $4
returning hash, tries;

-- name: forgive_tries
-- A right PIN forgives its own try and those before it; one taken after it, still being verified, keeps counting.
update payment_pin set tries = greatest(tries - $3, 0)
 where bucket = $1 and person_id = $2 and hash = $4;

-- name: replace_pin
-- The guard is the old hash: of two changes at once, one wins.
update payment_pin set hash = $3, tries = 0, set_at = $5 where bucket = $1 and person_id = $2 and hash = $4
returning person_id;

-- name: delete_pin
delete from payment_pin where bucket = $1 and person_id = $2;

-- name: reset_pin
insert into payment_pin (bucket, person_id, hash, set_at) values ($1, $2, $3, $4)
    on conflict (bucket, person_id) do update set hash = excluded.hash, tries = 0, set_at = excluded.set_at;

-- name: has_pin
select exists (select from payment_pin where bucket = $1 and person_id = $2) as is_set;

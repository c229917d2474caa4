-- name: insert_card
insert into family_card (bucket, id, owner_id, owner_phone_id, spender_phone_id, spender_id, name, use_wallet, line_id,
                         month_cap_minor, payment_cap_minor, status, expires_at, month_on, used_minor, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);

-- name: count_live
select count(*)
  from family_card
 where bucket = $1 and owner_id = $2
   and (status in ('active', 'paused') or (status = 'invited' and expires_at > $3));

-- name: load_cards
-- Its owner's row is locked by all who change a card: what is read under it stays.
select id, owner_id, owner_phone_id, spender_phone_id, spender_id, name, use_wallet, line_id, month_cap_minor,
       payment_cap_minor, status, expires_at, month_on, used_minor, created_at
  from family_card
 where bucket = $1 and id = any($2::uuid[]);

-- name: update_card
update family_card
   set spender_id = $3, status = $4, month_cap_minor = $5, payment_cap_minor = $6
 where bucket = $1 and id = $2;

-- name: list_given
select id, owner_id, owner_phone_id, spender_phone_id, spender_id, name, use_wallet, line_id, month_cap_minor,
       payment_cap_minor, status, expires_at, month_on, used_minor, created_at
  from family_card
 where bucket = $1 and owner_id = $2 and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: list_held
-- A card lives with its owner: those of a spender may be in any bucket. Invitations that are over are nobody's news.
select id, owner_id, owner_phone_id, spender_phone_id, spender_id, name, use_wallet, line_id, month_cap_minor,
       payment_cap_minor, status, expires_at, month_on, used_minor, created_at
  from family_card
 where bucket = any($1::smallint[])
   and (spender_id = $2
        or (spender_id is null and spender_phone_id = $3 and owner_id <> $2 and status = 'invited' and expires_at > $4))
   and ($5::uuid is null or id < $5)
 order by id desc
 limit $6;

-- name: record_uses
-- A payment that waited for its spender has a row already.
insert into family_use (bucket, payment_id, card_id, month_on, used_minor)
select head.bucket, u.payment_id, u.card_id, u.month_on, u.used_minor
  from head, unnest($2::uuid[], $3::uuid[], $4::date[], $5::bigint[]) as u (payment_id, card_id, month_on, used_minor)
 where head.bucket = $1
    on conflict (bucket, payment_id) do update set month_on = excluded.month_on, used_minor = excluded.used_minor;

-- name: write_months
update family_card as card
   set month_on = u.month_on, used_minor = u.used_minor
  from unnest($2::uuid[], $3::date[], $4::bigint[]) as u (id, month_on, used_minor)
 where card.bucket = $1 and card.id = u.id;

-- name: load_uses
select payment_id, card_id from family_use where bucket = $1 and payment_id = any($2::uuid[]);

-- name: release_uses
-- What comes back within the month makes room in it; later it does not.
with freed as (
    update family_use as u
       set used_minor = u.used_minor - d.freed_minor
      from unnest($2::uuid[], $3::bigint[]) as d (payment_id, freed_minor)
     where u.bucket = $1 and u.payment_id = d.payment_id
    returning u.card_id, u.month_on, d.freed_minor
)
update family_card as card
   set used_minor = card.used_minor - f.freed_minor
  from (select card_id, month_on, sum(freed_minor)::bigint as freed_minor from freed group by card_id, month_on) as f
 where card.bucket = $1 and card.id = f.card_id and card.month_on = f.month_on;

-- name: list_uses
select payment_id
  from family_use
 where bucket = $1 and card_id = $2 and ($3::uuid is null or payment_id < $3)
 order by payment_id desc
 limit $4;

-- name: sum_uses
-- Ids are in the order of time.
select coalesce(sum(used_minor), 0)::bigint from family_use where bucket = $1 and card_id = $2 and payment_id >= $3;

-- name: wrong_cards
-- What a bucket's payments hold of a card's month or have taken, beside the card; and each payment beside its use.
with taken as (
    select u.card_id, u.month_on, sum(u.used_minor) as used_minor,
           bool_or(u.used_minor <> case when p.status in ('pending', 'authorised') then p.amount_minor
                                        else p.captured_minor end - p.refunded_minor) as differs
      from family_use as u
      join payment as p on p.bucket = $1 and p.id = u.payment_id
     where u.bucket = $1
     group by u.card_id, u.month_on
), card as (
    select id, month_on, used_minor from family_card where bucket = $1
)
select card.id, coalesce(taken.used_minor, 0)::text as expected, card.used_minor::text as found
  from card
  left join taken on taken.card_id = card.id and taken.month_on = card.month_on
 where card.used_minor <> coalesce(taken.used_minor, 0) or taken.differs
 order by card.id
 limit $2;

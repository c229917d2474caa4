-- name: insert_campaign
insert into campaign (id, book, merchant_id, name, from_on, until_on, order_least_minor, order_most_minor, tenors,
                      products, share_ppm, budget_minor, status, created_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: count_live
select count(*) from campaign where book = $1 and merchant_id = $2 and status <> 'ended' and until_on >= $3;

-- name: lock_campaign
select id, book, merchant_id, name, from_on, until_on, order_least_minor, order_most_minor, tenors, products, share_ppm,
       budget_minor, status, created_at
  from campaign
 where book = $1 and id = $2
   for update;

-- name: move_campaign
update campaign set status = $3 where book = $1 and id = $2;

-- name: list_campaigns
-- The newest first. What was used is the sum of the buckets' slices.
select c.id, c.book, c.merchant_id, c.name, c.from_on, c.until_on, c.order_least_minor, c.order_most_minor, c.tenors,
       c.products, c.share_ppm, c.budget_minor, c.status, c.created_at,
       coalesce((select sum(s.used_minor) from campaign_slice as s
                  where s.bucket = any($2::smallint[]) and s.campaign_id = c.id), 0)::bigint as used_minor
  from campaign as c
 where c.book = $1
   and ($3::uuid is null or c.merchant_id = $3)
   and ($4::uuid is null or c.id = $4)
   and ($5::uuid is null or c.id < $5)
 order by c.id desc
 limit $6;

-- name: load_offered
-- What is open for a merchant's orders on a date, with what payments of these buckets could take of it now: the room in
-- their slices, and what no bucket holds. No budget: no room is said.
select c.id, c.book, c.merchant_id, c.name, c.from_on, c.until_on, c.order_least_minor, c.order_most_minor, c.tenors,
       c.products, c.share_ppm, c.budget_minor, c.status, c.created_at,
       (c.budget_minor - c.given_minor
        + coalesce((select sum(s.given_minor - s.used_minor) from campaign_slice as s
                     where s.bucket = any($3::smallint[]) and s.campaign_id = c.id), 0))::bigint as room_minor
  from campaign as c
 where c.book = $1 and c.merchant_id = $2 and c.status = 'open' and $4::date between c.from_on and c.until_on
 order by c.id;

-- name: take_slices
-- Takes what is asked of each slice, or what is left of it, before anything is decided: what no payment uses is given
-- back. So a batch with a campaign in it costs one statement more when all of it is used. In id order, as all locks.
with locked as materialized (
    select slice.campaign_id, least(asked.asked_minor, slice.given_minor - slice.used_minor) as got_minor
      from campaign_slice as slice
      join unnest($2::uuid[], $3::bigint[]) as asked (campaign_id, asked_minor) using (campaign_id)
     where slice.bucket = $1
     order by slice.campaign_id
       for update of slice
)
update campaign_slice as slice
   set used_minor = slice.used_minor + locked.got_minor
  from locked join campaign as c on c.id = locked.campaign_id
 where slice.bucket = $1 and slice.campaign_id = locked.campaign_id
returning slice.campaign_id, locked.got_minor, c.status, c.from_on, c.until_on;

-- name: refill_slices
-- For slices that are too small, or not made yet: what is short of them, taken at once, and with it a part ($4: one in
-- so many) of what no bucket holds, so that the shared row is seldom touched. Locked after slices, before the head; on
-- one node, as claims are.
with centre as materialized (
    select c.id, c.status, c.from_on, c.until_on, short.short_minor,
           least(c.budget_minor - c.given_minor,
                 greatest(short.short_minor, (c.budget_minor - c.given_minor) / $4::bigint)) as more_minor
      from campaign as c
      join unnest($2::uuid[], $3::bigint[]) as short (campaign_id, short_minor) on short.campaign_id = c.id
     order by c.id
       for update of c
), moved as (
    update campaign as c
       set given_minor = c.given_minor + centre.more_minor
      from centre
     where c.id = centre.id and c.budget_minor is not null and centre.more_minor > 0
), filled as (
    insert into campaign_slice as slice (bucket, campaign_id, given_minor, used_minor)
    select $1, centre.id, case when c.budget_minor is not null then centre.more_minor end,
           case when c.budget_minor is not null then least(centre.more_minor, centre.short_minor)
                else centre.short_minor end
      from centre join campaign as c on c.id = centre.id
        on conflict (bucket, campaign_id)
        do update set given_minor = slice.given_minor + excluded.given_minor,
                      used_minor = slice.used_minor + excluded.used_minor
    returning slice.campaign_id, new.used_minor - coalesce(old.used_minor, 0) as got_minor
)
select filled.campaign_id, filled.got_minor, centre.status, centre.from_on, centre.until_on
  from filled join centre on centre.id = filled.campaign_id;

-- name: give_back
with locked as materialized (
    select slice.campaign_id, back.back_minor
      from campaign_slice as slice
      join unnest($2::uuid[], $3::bigint[]) as back (campaign_id, back_minor) using (campaign_id)
     where slice.bucket = $1
     order by slice.campaign_id
       for update of slice
)
update campaign_slice as slice
   set used_minor = slice.used_minor - locked.back_minor
  from locked
 where slice.bucket = $1 and slice.campaign_id = locked.campaign_id;

-- name: list_given_out
-- Campaigns whose whole budget the buckets hold: one may have room that another lacks.
select id from campaign
 where book = $1 and status = 'open' and until_on >= $2 and budget_minor is not null and given_minor = budget_minor
 order by id;

-- name: empty_slices
-- One that a batch works with is left for the next round.
with idle as materialized (
    select slice.campaign_id, slice.given_minor - slice.used_minor as room_minor
      from campaign_slice as slice
     where slice.bucket = $1 and slice.campaign_id = any($2::uuid[]) and slice.given_minor > slice.used_minor
     order by slice.campaign_id
       for update skip locked
), emptied as (
    update campaign_slice as slice
       set given_minor = slice.given_minor - idle.room_minor
      from idle
     where slice.bucket = $1 and slice.campaign_id = idle.campaign_id
    returning slice.campaign_id, idle.room_minor
)
select campaign_id, room_minor from emptied order by campaign_id;

-- name: return_room
update campaign as c
   set given_minor = c.given_minor - back.room_minor
  from unnest($1::uuid[], $2::bigint[]) as back (campaign_id, room_minor)
 where c.id = back.campaign_id;

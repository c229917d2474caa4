-- name: wrong_slices
-- What a bucket's payments hold of a budget or have taken, beside its slice, which must have been given as much.
with held as (
    select campaign_id, sum(campaign_minor + campaign_held_minor) as used_minor
      from payment
     where bucket = $1 and campaign_id is not null
     group by campaign_id
), slice as (
    select campaign_id, used_minor, given_minor from campaign_slice where bucket = $1
)
select campaign_id, coalesce(held.used_minor, 0)::text as expected, coalesce(slice.used_minor, 0)::text as found
  from held
  full join slice using (campaign_id)
 where coalesce(held.used_minor, 0) <> coalesce(slice.used_minor, 0) or slice.used_minor > slice.given_minor
 order by campaign_id
 limit $2;

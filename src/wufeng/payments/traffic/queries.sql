-- name: count_recent
-- Ids are in the order of time: each bucket gives its newest from the end of its primary key, and no more than $5 of
-- them however busy the book is. The oldest of a full bucket says how far back it reaches.
select newest.bucket, newest.status, count(*) as in_window, count(*) filter (where newest.id >= $3) as in_hour,
       count(*) filter (where newest.id >= $4) as in_minute, min(newest.created_at) as oldest_at
  from unnest($1::smallint[]) as b (bucket)
 cross join lateral (select payment.bucket, payment.id, payment.status, payment.created_at
                       from payment
                      where payment.bucket = b.bucket and payment.id >= $2
                      order by payment.id desc
                      limit $5) as newest
 group by newest.bucket, newest.status;

-- name: sum_open
-- Through the partial index of payments that wait or hold.
select open.status, count(*) as count, coalesce(sum(open.wallet_minor + open.credit_minor), 0)::bigint as held_minor
  from (select status, wallet_minor, credit_minor
          from payment
         where bucket = any($1::smallint[]) and status in ('requires_action', 'pending', 'authorised')
         limit $2) as open
 group by open.status;

-- name: sum_payments
-- Ids are in the order of time: the index by payer gives just those of the window.
select payer_id, count(*)::integer as payments, sum(captured_minor - refunded_minor)::bigint as paid_minor,
       count(distinct scene)::integer as scenes
  from payment
 where bucket = $1 and payer_id = any($2::uuid[]) and id >= $3 and captured_minor > refunded_minor
 group by payer_id;

-- name: sum_inflow
-- Money that goes round between bank and wallet came in once at most: what leaves again is taken off.
select wallet_id,
       greatest(0, sum(case kind when 'top_up' then amount_minor else -amount_minor end))::bigint as inflow_minor
  from wallet_movement
 where bucket = $1 and wallet_id = any($2::uuid[]) and id >= $3
   and (kind = 'top_up' and status = 'posted' or kind = 'withdrawal' and status <> 'failed')
 group by wallet_id;

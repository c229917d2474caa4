-- name: sum_payments
-- Ids are in the order of time: the index by payer gives just those of the window.
select payer_id, count(*)::integer as payments, sum(captured_minor - refunded_minor)::bigint as paid_minor,
       count(distinct scene)::integer as scenes
  from payment
 where bucket = $1 and payer_id = any($2::uuid[]) and id >= $3 and captured_minor > refunded_minor
 group by payer_id;

-- name: sum_inflow
select wallet_id, sum(amount_minor)::bigint as inflow_minor
  from wallet_movement
 where bucket = $1 and wallet_id = any($2::uuid[]) and id >= $3 and kind = 'top_up' and status = 'posted'
 group by wallet_id;

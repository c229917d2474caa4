-- name: insert_payments
-- One composite value a row, in the table's own order of columns: a third cheaper to send than an array a column.
insert into payment (bucket, id, payer_id, merchant_id, order_id, order_no, amount_minor, currency, scene, subject,
                     receipt, inline_order, status, capture, use_wallet, line_id, tenor, merchant_share_ppm,
                     wallet_minor, credit_minor, captured_minor, fee_minor, refunded_minor, wallet_refunded_minor,
                     wallet_hold_id, line_hold_id, decision_id, reasons, caller_id, confirmed_by, expires_at,
                     captured_at, created_at, campaign_id, campaign_minor, campaign_held_minor, channel, needs,
                     spender_id, funding_wallet_minor)
select p.bucket, p.id, p.payer_id, p.merchant_id, p.order_id, p.order_no, p.amount_minor, p.currency, p.scene,
       p.subject, p.receipt, p.inline_order, p.status, p.capture, p.use_wallet, p.line_id, p.tenor,
       p.merchant_share_ppm, p.wallet_minor, p.credit_minor, p.captured_minor, p.fee_minor, p.refunded_minor,
       p.wallet_refunded_minor, p.wallet_hold_id, p.line_hold_id, p.decision_id, p.reasons, p.caller_id,
       p.confirmed_by, p.expires_at, p.captured_at, p.created_at, p.campaign_id, p.campaign_minor,
       p.campaign_held_minor, p.channel, p.needs, p.spender_id, p.funding_wallet_minor
  from head, unnest($2::payment[]) as p
 where head.bucket = $1;

-- name: use_codes
-- Two that show one code: the first row wins, also within a batch. The edge has looked at the device before; what was
-- revoked, signed out or stopped since, and answered, counts here.
insert into pay_code_use (bucket, code_id, payment_id, used_at)
select head.bucket, c.code_id, c.payment_id, $4
  from head, unnest($2::uuid[], $3::uuid[], $5::uuid[], $6::timestamptz[], $7::uuid[])
       as c (code_id, payment_id, device_id, made_at, handle_name)
  join pay_choice as choice on choice.bucket = $1 and choice.device_id = c.device_id
 where head.bucket = $1
   and case when c.handle_name is null then choice.stopped_at is null or c.made_at > choice.stopped_at
            else choice.handle_name = c.handle_name end
   and exists (select from signed_in_device as live
                where live.bucket = $1 and live.device_id = c.device_id and live.person_id = choice.person_id
                  and live.expires_at > $4)
    on conflict (bucket, code_id) do nothing
returning payment_id;

-- name: forget_codes
delete from pay_code_use
 where bucket = $1 and code_id in (select code_id from pay_code_use where bucket = $1 and used_at < $2 limit $3)
returning code_id;

-- name: update_payments
update payment as p
   set status = u.status, use_wallet = u.use_wallet, line_id = u.line_id, tenor = u.tenor,
       merchant_share_ppm = u.merchant_share_ppm, wallet_minor = u.wallet_minor, credit_minor = u.credit_minor, captured_minor = u.captured_minor,
       fee_minor = u.fee_minor, refunded_minor = u.refunded_minor, wallet_refunded_minor = u.wallet_refunded_minor,
       wallet_hold_id = u.wallet_hold_id, line_hold_id = u.line_hold_id, decision_id = u.decision_id,
       reasons = u.reasons, confirmed_by = u.confirmed_by, expires_at = u.expires_at, captured_at = u.captured_at,
       campaign_id = u.campaign_id, campaign_minor = u.campaign_minor, campaign_held_minor = u.campaign_held_minor,
       needs = u.needs, funding_wallet_minor = u.funding_wallet_minor
  from unnest($2::uuid[], $3::text[], $4::boolean[], $5::uuid[], $6::smallint[], $7::int[], $8::bigint[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::uuid[], $15::uuid[],
              $16::uuid[], $17::text[], $18::text[], $19::timestamptz[], $20::timestamptz[],
              $21::uuid[], $22::bigint[], $23::bigint[], $24::text[], $25::bigint[])
       as u (id, status, use_wallet, line_id, tenor, merchant_share_ppm, wallet_minor, credit_minor, captured_minor, fee_minor,
             refunded_minor, wallet_refunded_minor, wallet_hold_id, line_hold_id, decision_id, reasons, confirmed_by,
             expires_at, captured_at, campaign_id, campaign_minor, campaign_held_minor, needs, funding_wallet_minor)
 where p.bucket = $1 and p.id = u.id;

-- name: load_payments
select id, payer_id, merchant_id, order_id, order_no, amount_minor, currency, scene, subject, receipt, inline_order,
       status, capture, use_wallet, line_id, tenor, merchant_share_ppm, wallet_minor, credit_minor, captured_minor, fee_minor,
       refunded_minor, wallet_refunded_minor, wallet_hold_id, line_hold_id, decision_id, reasons, caller_id, confirmed_by,
       expires_at, captured_at, created_at, campaign_id, campaign_minor, campaign_held_minor, channel,
       needs, spender_id, funding_wallet_minor
  from payment
 where bucket = $1 and id = any($2::uuid[]);

-- name: load_due_payments
select id, payer_id, merchant_id, order_id, order_no, amount_minor, currency, scene, subject, receipt, inline_order,
       status, capture, use_wallet, line_id, tenor, merchant_share_ppm, wallet_minor, credit_minor, captured_minor, fee_minor,
       refunded_minor, wallet_refunded_minor, wallet_hold_id, line_hold_id, decision_id, reasons, caller_id, confirmed_by,
       expires_at, captured_at, created_at, campaign_id, campaign_minor, campaign_held_minor, channel,
       needs, spender_id, funding_wallet_minor
  from payment
 where bucket = $1 and status in ('requires_action', 'pending', 'authorised') and expires_at <= $2
 order by expires_at
 limit $3;

-- name: payers_of_due_payments
select payer_id
  from payment
 where bucket = $1 and status in ('requires_action', 'pending', 'authorised') and expires_at <= $2
 order by expires_at
 limit $3;

-- name: list_payments
-- Ids are in the order of time, so the newest of each bucket come from the end of its index.
select id, payer_id, merchant_id, order_id, order_no, amount_minor, currency, scene, subject, receipt, inline_order,
       status, capture, use_wallet, line_id, tenor, merchant_share_ppm, wallet_minor, credit_minor, captured_minor, fee_minor,
       refunded_minor, wallet_refunded_minor, wallet_hold_id, line_hold_id, decision_id, reasons, caller_id, confirmed_by,
       expires_at, captured_at, created_at, campaign_id, campaign_minor, campaign_held_minor, channel,
       needs, spender_id, funding_wallet_minor
  from payment
 where bucket = any($1::smallint[])
   and ($2::uuid is null or payer_id = $2)
   and ($3::uuid is null or merchant_id = $3)
   and ($4::text is null or status = $4)
   and ($5::text is null or order_no = $5)
   and ($6::uuid is null or id = $6)
   and ($7::uuid is null or id < $7)
 order by id desc
 limit $8;

-- name: sum_sales
-- What a merchant took from an instant on. Ids are in the order of time: the index gives the payments that began at
-- most so long before as an authorisation lasts, the newest ones first, and no more than so many.
select count(*) as payments, coalesce(sum(taken.captured_minor), 0)::bigint as gross_minor,
       coalesce(sum(taken.captured_minor - least(taken.wallet_minor, taken.captured_minor)), 0)::bigint as credit_minor
  from (select captured_minor, wallet_minor
          from payment
         where bucket = any($1::smallint[]) and merchant_id = $2 and id >= $3 and captured_at >= $4 and captured_minor > 0
         order by id desc
         limit $5) as taken;

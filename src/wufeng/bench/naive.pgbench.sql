-- pgbench: the writes and reads of one payment on credit, a statement a row, in the order in which the engine makes them.
-- It decides nothing and computes nothing; sizes of digest, answer, event, features and note are those of a real payment.
\set n random(1, :people)
\set m random_zipfian(1, :merchants, 1.1)
\set amount random(100, 1900)
select bucket as p_bucket, person_id, line_id, account_id, lender_principal, lender_pool from bench_payer where n = :n \gset
select merchant_id, payable from bench_merchant where n = :m \gset
select uuidv7() as payment_id, uuidv7() as decision_id, gen_random_uuid() as key_id, gen_random_uuid() as order_id, gen_random_uuid() as draw_id \gset
begin;
select id, status, tier, outcome, wallet_id from person where bucket = :p_bucket and id = :person_id::uuid for no key update;
insert into key_claim (bucket, id, digest, created_at) select :p_bucket, :key_id::uuid, digest, now() from bench_payload on conflict do nothing;
select packed from feature where bucket = :p_bucket and person_id = :person_id::uuid;
select member_id, list from risk_list_member where member_id in (:person_id::uuid, :merchant_id::uuid);
select id, person_id, product, product_version, limit_minor, status, bill_day, due_day from line where bucket = :p_bucket and id = :line_id::uuid;
select balance_minor, held_minor from account where bucket = :p_bucket and id = :account_id::uuid;
insert into merchant_order (bucket, id, book, merchant_id, order_no, amount_minor, currency, subject, scene, receipt, payment_id, payer_id, state, paid_at, created_at) values (:p_bucket, :order_id::uuid, :book, :merchant_id::uuid, 'naive', :amount, 'CNY', 'Bench', 'retail', 'none', :payment_id::uuid, :person_id::uuid, 'paid', now(), now()) on conflict do nothing;
insert into payment (bucket, id, payer_id, merchant_id, order_id, order_no, amount_minor, currency, scene, subject, receipt, inline_order, status, capture, use_wallet, line_id, tenor, credit_minor, captured_minor, fee_minor, decision_id, caller_id, confirmed_by, captured_at, created_at) values (:p_bucket, :payment_id::uuid, :person_id::uuid, :merchant_id::uuid, :order_id::uuid, 'naive', :amount, 'CNY', 'retail', 'Bench', 'none', true, 'captured', 'now', false, :line_id::uuid, 1, :amount, :amount, 1, :decision_id::uuid, :person_id::uuid, 'session', now(), now());
insert into feature (bucket, person_id, packed) select :p_bucket, :person_id::uuid, features from bench_payload on conflict (bucket, person_id) do update set packed = excluded.packed;
insert into decision (bucket, id, payment_id, payer_id, merchant_id, amount_minor, at, outcome, reasons, rules, policy, product, confirmation, features) select :p_bucket, :decision_id::uuid, :payment_id::uuid, :person_id::uuid, :merchant_id::uuid, :amount, now(), 'allow', '', '', 'bench@1', 'monthly_bill@1', 1, features from bench_payload;
insert into draw (bucket, id, line_id, payment_id, merchant_id, amount_minor, tenor, merchant_share_ppm, product_version, lenders, shares_ppm, status, principal_parts, unbilled_minor, posted_on, billable_on) values (:p_bucket, :draw_id::uuid, :line_id::uuid, :payment_id::uuid, :merchant_id::uuid, :amount, 1, 0, 1, array[:draw_id::uuid], array[1000000], 'posted', array[:amount::bigint], :amount, current_date, current_date);
update line set next_bill_on = current_date + 30 where bucket = :p_bucket and id = :line_id::uuid and next_bill_on is null;
update account set balance_minor = balance_minor + :amount where bucket = :p_bucket and id = :account_id::uuid and currency = 'CNY';
update head set seq = seq + 2, booked_at = greatest(booked_at, now()) where bucket = :p_bucket returning seq - 1 as first_seq, booked_at \gset
insert into journal (bucket, seq, at, kind, of, currency, business_on, guarded, accounts, amounts, note) select :p_bucket, :first_seq, :booked_at::timestamptz, 1, :payment_id::uuid, 'CNY', current_date, 1, array[:account_id::uuid, :lender_principal::uuid, :lender_pool::uuid, :payable::uuid], array[:amount::bigint, -(:amount::bigint), :amount::bigint, -(:amount::bigint)]::bigint[], note from bench_payload;
insert into event (bucket, seq, kind, object_id, person_id, merchant_id, at, business_on, data) select :p_bucket, :first_seq + 1, 'payment.captured', :payment_id::uuid, :person_id::uuid, :merchant_id::uuid, :booked_at::timestamptz, current_date, event from bench_payload;
update key_claim set status = 201, answer = payload.answer, object_id = :payment_id::uuid from bench_payload as payload where key_claim.bucket = :p_bucket and key_claim.id = :key_id::uuid;
commit;

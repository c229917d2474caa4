-- name: load_by_no
select r.id, r.charge_id, r.payer_id, r.merchant_id, r.ride_no, r.fare_minor, r.due_minor, r.code_id, r.device_id,
       r.business_on, r.created_at
  from ride as r
  join unnest($2::uuid[], $3::uuid[], $4::text[]) as n (payer_id, merchant_id, ride_no)
    on r.payer_id = n.payer_id and r.merchant_id = n.merchant_id and r.ride_no = n.ride_no
 where r.bucket = $1;

-- name: insert_rides
insert into ride (bucket, id, charge_id, payer_id, merchant_id, ride_no, fare_minor, due_minor, code_id, device_id,
                  business_on, created_at)
select head.bucket, r.id, r.charge_id, r.payer_id, r.merchant_id, r.ride_no, r.fare_minor, r.due_minor, r.code_id,
       r.device_id, r.business_on, r.created_at
  from head, unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::bigint[], $9::uuid[],
                    $10::uuid[], $11::date[], $12::timestamptz[])
       as r (id, charge_id, payer_id, merchant_id, ride_no, fare_minor, due_minor, code_id, device_id, business_on,
             created_at)
 where head.bucket = $1;

-- name: write_charges
insert into ride_charge (bucket, id, payer_id, merchant_id, business_on, rides, fares_minor, due_minor, day_cap_minor,
                         use_wallet, line_id, tenor, status, payment_id, order_id, tries, tried_on, created_at)
select head.bucket, c.id, c.payer_id, c.merchant_id, c.business_on, c.rides, c.fares_minor, c.due_minor,
       c.day_cap_minor, c.use_wallet, c.line_id, c.tenor, c.status, c.payment_id, c.order_id, c.tries, c.tried_on,
       c.created_at
  from head, unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::date[], $6::int[], $7::bigint[], $8::bigint[], $9::bigint[],
                    $10::boolean[], $11::uuid[], $12::smallint[], $13::text[], $14::uuid[], $15::uuid[], $16::smallint[],
                    $17::date[], $18::timestamptz[])
       as c (id, payer_id, merchant_id, business_on, rides, fares_minor, due_minor, day_cap_minor, use_wallet, line_id,
             tenor, status, payment_id, order_id, tries, tried_on, created_at)
 where head.bucket = $1
    on conflict (bucket, id) do update
       set rides = excluded.rides, fares_minor = excluded.fares_minor, due_minor = excluded.due_minor,
           use_wallet = excluded.use_wallet, line_id = excluded.line_id, tenor = excluded.tenor,
           status = excluded.status, payment_id = excluded.payment_id, order_id = excluded.order_id,
           tries = excluded.tries, tried_on = excluded.tried_on;

-- name: load_owed
-- Their people's rows are locked by all who change a charge.
select id, payer_id, merchant_id, business_on, rides, fares_minor, due_minor, day_cap_minor, use_wallet, line_id, tenor,
       status, payment_id, order_id, tries, tried_on, created_at
  from ride_charge
 where bucket = $1 and payer_id = any($2::uuid[]) and status in ('open', 'pending', 'unpaid')
 order by id;

-- name: load_day_sums
select payer_id, merchant_id, business_on, sum(due_minor)::bigint as due_minor
  from ride_charge
 where bucket = $1 and payer_id = any($2::uuid[]) and business_on = any($3::date[])
 group by payer_id, merchant_id, business_on;

-- name: load_charges
select id, payer_id, merchant_id, business_on, rides, fares_minor, due_minor, day_cap_minor, use_wallet, line_id, tenor,
       status, payment_id, order_id, tries, tried_on, created_at
  from ride_charge
 where bucket = $1 and id = any($2::uuid[]);

-- name: list_charges
select id, payer_id, merchant_id, business_on, rides, fares_minor, due_minor, day_cap_minor, use_wallet, line_id, tenor,
       status, payment_id, order_id, tries, tried_on, created_at
  from ride_charge
 where bucket = any($1::smallint[])
   and ($2::uuid is null or payer_id = $2)
   and ($3::uuid is null or merchant_id = $3)
   and ($4::uuid is null or id < $4)
 order by id desc
 limit $5;

-- name: list_rides
select id, charge_id, payer_id, merchant_id, ride_no, fare_minor, due_minor, code_id, device_id, business_on, created_at
  from ride
 where bucket = any($1::smallint[])
   and ($2::uuid is null or payer_id = $2)
   and ($3::uuid is null or merchant_id = $3)
   and ($4::uuid is null or id = $4)
   and ($5::uuid is null or id < $5)
 order by id desc
 limit $6;

-- name: payers_of_due
-- What the timer has to do: dates that are over, debts not tried today, what waits for a reviewer.
select distinct payer_id
  from ride_charge
 where bucket = $1 and payer_id > $2
   and ((status = 'open' and business_on <= $3)
        or (status = 'unpaid' and tries < $5 and tried_on < $4)
        or status = 'pending')
 order by payer_id
 limit $6;

-- name: load_terms
select merchant_id, day_cap_minor from ride_terms where merchant_id = any($1::uuid[]);

-- name: write_terms
insert into ride_terms (merchant_id, book, day_cap_minor, changed_at)
values ($1, $2, $3, $4)
    on conflict (merchant_id) do update set day_cap_minor = excluded.day_cap_minor, changed_at = excluded.changed_at;

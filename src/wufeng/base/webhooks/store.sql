-- name: insert_endpoint
insert into webhook_endpoint (id, book, merchant_id, url, types, secret, status, created_at)
values ($1, $2, $3, $4, $5, $6, 'enabled', $7);

-- name: load_endpoints
select id, book, merchant_id, url, types, status, created_at
  from webhook_endpoint
 where book = $1 and merchant_id is not distinct from $2 and status <> 'deleted'
 order by created_at, id;

-- name: load_endpoint
select id, book, merchant_id, url, types, status, created_at
  from webhook_endpoint
 where id = $1 and book = $2 and merchant_id is not distinct from $3;

-- name: load_enabled_endpoints
select id, book, merchant_id, url, types, status, created_at
  from webhook_endpoint
 where book = $1 and status = 'enabled';

-- name: delete_endpoint
update webhook_endpoint
   set status = 'deleted'
 where id = $1 and book = $2 and merchant_id is not distinct from $3 and status <> 'deleted'
returning id, book, merchant_id, url, types, status, created_at;

-- name: disable_endpoint
update webhook_endpoint set status = 'disabled' where id = $1 and status = 'enabled';

-- name: insert_deliveries
-- An event's delivery to an endpoint has one id for ever, so a follower that is set back repeats nothing.
insert into delivery
       (bucket, id, endpoint_id, event_seq, event_index, type, object_id, status, round_began_at, due_at, created_at)
select $1, d.id, d.endpoint_id, d.event_seq, d.event_index, d.type, d.object_id, 'waiting', $2, $2, $2
  from unnest($3::uuid[], $4::uuid[], $5::bigint[], $6::smallint[], $7::text[], $8::uuid[])
       as d (id, endpoint_id, event_seq, event_index, type, object_id)
    on conflict (bucket, id) do nothing;

-- name: claim_deliveries
-- Up to $7 of each endpoint, or what room an endpoint of $5 has left by $6; up to $8 in all. A later event of an object waits while an earlier one waits,
-- which it does until it is delivered or given up. The lease is the new due_at: who dies in between loses nothing.
-- The condition stands twice: the row may have been claimed between being found and being locked.
with due as (
    select d.id
      from webhook_endpoint as endpoint
      left join unnest($5::uuid[], $6::integer[]) as known (id, room) on known.id = endpoint.id
     cross join lateral (
           select delivery.id, delivery.due_at
             from delivery
            where delivery.bucket = $1
              and delivery.endpoint_id = endpoint.id
              and delivery.status = 'waiting'
              and delivery.due_at <= $3
              and not exists (
                  select 1
                    from delivery as earlier
                   where earlier.bucket = $1
                     and earlier.endpoint_id = delivery.endpoint_id
                     and earlier.object_id = delivery.object_id
                     and earlier.status = 'waiting'
                     and (earlier.event_seq, earlier.event_index) < (delivery.event_seq, delivery.event_index)
                  )
            order by delivery.due_at
            limit coalesce(known.room, $7)
           ) as d
     where endpoint.book = $2
     order by d.due_at
     limit $8
),
locked as (
    select delivery.id
      from delivery
     where delivery.bucket = $1
       and delivery.id = any(array(select due.id from due))
       and delivery.status = 'waiting'
       and delivery.due_at <= $3
       for update skip locked
)
update delivery
   set due_at = $4, attempts = delivery.attempts + 1, sendings = delivery.sendings + 1
  from locked, webhook_endpoint as endpoint
 where delivery.bucket = $1 and delivery.id = locked.id and endpoint.id = delivery.endpoint_id
returning delivery.id, delivery.endpoint_id, delivery.event_seq, delivery.event_index, delivery.attempts,
          delivery.sendings, delivery.round_began_at, endpoint.url, endpoint.secret, endpoint.merchant_id, endpoint.status;

-- name: record_attempt
-- Only who holds the lease moves the delivery; the log tells of every sending. When it is to wait, the later events of
-- its object wait with it: they may not go before it, and a claim need not look at them in vain until then.
with moved as (
    update delivery
       set status = $4, due_at = coalesce($5, due_at), ended_at = $6
     where bucket = $1 and id = $2 and sendings = $3 and status = 'waiting'
    returning endpoint_id, object_id, event_seq, event_index
),
held as (
    update delivery as later
       set due_at = $5
      from moved
     where later.bucket = $1
       and later.endpoint_id = moved.endpoint_id
       and later.object_id = moved.object_id
       and later.status = 'waiting'
       and (later.event_seq, later.event_index) > (moved.event_seq, moved.event_index)
       and later.due_at < $5
)
insert into delivery_attempt (bucket, delivery_id, number, at, took_ms, response_status, failure)
values ($1, $2, $3, $7, $8, $9, $10)
    on conflict (bucket, delivery_id, number) do nothing;

-- name: load_delivery
select bucket, id, endpoint_id, event_seq, event_index, type, object_id, status, attempts, round_began_at, due_at,
       created_at, ended_at
  from delivery
 where bucket = $1 and id = $2;

-- name: load_deliveries
select bucket, id, endpoint_id, event_seq, event_index, type, object_id, status, attempts, round_began_at, due_at,
       created_at, ended_at
  from delivery
 where bucket = $1 and endpoint_id = $2 and (created_at, id) < ($3, $4)
 order by created_at desc, id desc
 limit $5;

-- name: load_attempts
select delivery_id, number, at, took_ms, response_status, failure
  from delivery_attempt
 where bucket = $1 and delivery_id = any($2::uuid[])
 order by delivery_id, number;

-- name: resend_delivery
update delivery
   set status = 'waiting', attempts = 0, round_began_at = $3, due_at = $3, ended_at = null
 where bucket = $1 and id = $2 and status <> 'waiting'
returning id;

-- name: forget_deliveries
-- The log goes with what it tells of.
with old as (
    select id
      from delivery
     where bucket = $1 and created_at < $2 and status <> 'waiting'
     limit $3
       for update skip locked
),
log as (
    delete from delivery_attempt where bucket = $1 and delivery_id in (select id from old)
)
delete from delivery
 where bucket = $1 and id in (select id from old)
returning id;

-- name: read_events_at
select bucket, seq, kind, object_id, person_id, merchant_id, at, business_on, data
  from event
 where bucket = $1 and seq = any($2::bigint[]);

-- name: read_book_events
select bucket, seq, kind, object_id, person_id, merchant_id, at, business_on, data
  from event
 where bucket = $1 and seq >= $2
 order by seq
 limit $3;

-- name: read_merchant_events
select bucket, seq, kind, object_id, person_id, merchant_id, at, business_on, data
  from event
 where bucket = $1 and merchant_id = $4 and seq >= $2
 order by seq
 limit $3;

-- name: read_heads
select bucket, seq from head where bucket = any($1::smallint[]);

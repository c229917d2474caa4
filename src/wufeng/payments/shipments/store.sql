-- name: insert_shipments
insert into shipment (bucket, order_id, payer_id, confirm_on)
select head.bucket, s.order_id, s.payer_id, s.confirm_on
  from head, unnest($2::uuid[], $3::uuid[], $4::date[]) as s (order_id, payer_id, confirm_on)
 where head.bucket = $1
    on conflict (bucket, order_id) do nothing;

-- name: load_due
select order_id, payer_id, confirm_on
  from shipment
 where bucket = $1 and confirm_on <= $2
 order by confirm_on, order_id
 limit $3;

-- name: forget_shipments
delete from shipment
 using unnest($1::smallint[], $2::uuid[]) as s (bucket, order_id)
 where shipment.bucket = s.bucket and shipment.order_id = s.order_id;

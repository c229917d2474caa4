-- name: lines_to_charge_off
select id, person_id from line where bucket = $1 and charge_off_on <= $2 order by charge_off_on, id limit $3;

-- name: insert_charge_offs
insert into charge_off (bucket, line_id, charged_off_on, principal_minor, interest_minor, fee_minor)
select head.bucket, c.line_id, c.charged_off_on, c.principal_minor, c.interest_minor, c.fee_minor
  from head, unnest($2::uuid[], $3::date[], $4::bigint[], $5::bigint[], $6::bigint[])
       as c (line_id, charged_off_on, principal_minor, interest_minor, fee_minor)
 where head.bucket = $1;

-- name: page_of_lines
select id
  from line
 where bucket = $1 and person_id = $2 and ($3::uuid is null or id > $3)
 order by id
 limit $4;

-- name: page_of_repayments
select id
  from repayment
 where bucket = $1 and line_id = $2 and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: page_of_draws
select id
  from draw
 where bucket = $1 and line_id = $2 and status <> 'voided' and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: insert_policy
insert into application_policy (name, effective_from, content_hash, source, created_at)
values ($1, $2, $3, $4, $5)
    on conflict (name) do nothing;

-- name: load_policy
select name, effective_from, content_hash, source from application_policy where name = $1;

-- name: load_applications
select id, person_id, line_id, order_id, order_minor, limit_minor, product_version, review_on, kind, product, currency,
       status, mode, policy, inputs, decision, sheet, sheet_hash, contract, contract_hash, confirmed_by, expires_at,
       created_at, decided_at, accepted_at
  from application
 where bucket = $1 and id = any($2::uuid[]);

-- name: load_open
-- Through the unique index: at most one of a person, a product and a line.
select id, person_id, line_id, order_id, order_minor, limit_minor, product_version, review_on, kind, product, currency,
       status, mode, policy, inputs, decision, sheet, sheet_hash, contract, contract_hash, confirmed_by, expires_at,
       created_at, decided_at, accepted_at
  from application
 where bucket = $1 and person_id = $2 and product = $3 and kind = $4 and line_id is not distinct from $5
   and status in ('checking', 'offered', 'referred');

-- name: page_of_applications
select id, person_id, line_id, order_id, order_minor, limit_minor, product_version, review_on, kind, product, currency,
       status, mode, policy, inputs, decision, sheet, sheet_hash, contract, contract_hash, confirmed_by, expires_at,
       created_at, decided_at, accepted_at
  from application
 where bucket = $1 and person_id = $2 and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

-- name: page_of_referred
-- Through application_referred. $2: the end of the page before; the longest waiting first.
select id, person_id, line_id, order_id, order_minor, limit_minor, product_version, review_on, kind, product, currency,
       status, mode, policy, inputs, decision, sheet, sheet_hash, contract, contract_hash, confirmed_by, expires_at,
       created_at, decided_at, accepted_at
  from application
 where bucket = $1 and status = 'referred' and ($2::uuid is null or id > $2) and expires_at > $3
 order by id
 limit $4;

-- name: load_consents
select application_id, purpose, version
  from application_consent
 where bucket = $1 and application_id = any($2::uuid[])
 order by application_id, purpose;

-- name: insert_application
insert into application (bucket, id, person_id, line_id, order_id, order_minor, limit_minor, score, product_version,
                         review_on, kind, product, currency, status, grade, price, policy, inputs, decision, sheet,
                         sheet_hash, contract, contract_hash, expires_at, created_at, decided_at, mode)
select head.bucket, $2, $3, $4, $5, $6, $7, $8, $9, null, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
       $22, $23, $24, $25, $26
  from head
 where head.bucket = $1;

-- name: insert_consents
insert into application_consent (bucket, application_id, purpose, version, given_at)
select head.bucket, $2, c.purpose, c.version, $5
  from head, unnest($3::text[], $4::integer[]) as c (purpose, version)
 where head.bucket = $1;

-- name: update_application
-- What may change: the inputs, the mode, the policy and what was agreed to stay. The version of the product is that of
-- the day on which it is offered.
update application
   set status = $3, line_id = $4, limit_minor = $5, score = $6, grade = $7, price = $8, decision = $9, sheet = $10,
       sheet_hash = $11, contract = $12, contract_hash = $13, confirmed_by = $14, expires_at = $15, review_on = $16,
       decided_at = $17, accepted_at = $18, product_version = $19
 where bucket = $1 and id = $2;

-- name: count_declined
select count(*)::integer as count
  from application
 where bucket = $1 and person_id = $2 and status = 'declined' and decided_at > $3;

-- name: applications_to_lapse
select id, person_id
  from application
 where bucket = $1 and status in ('offered', 'referred') and expires_at <= $2
 order by expires_at, id
 limit $3;

-- name: lapse
update application set status = 'lapsed'
 where bucket = $1 and id = any($2::uuid[]) and status in ('offered', 'referred') and expires_at <= $3
returning id;

-- name: applications_to_review
select id, person_id
  from application
 where bucket = $1 and review_on <= $2
 order by review_on, id
 limit $3;

-- name: set_review
update application set review_on = $3 where bucket = $1 and id = $2;

-- name: end_reviews
-- The last accepted application of a line keeps its next review.
update application set review_on = null where bucket = $1 and line_id = $2 and id <> $3 and review_on is not null;

-- name: stop_reviews
update application set review_on = null where bucket = $1 and line_id = $2 and review_on is not null;

-- name: end_offers
update application set status = 'lapsed'
 where bucket = $1 and line_id = $2 and status in ('offered', 'referred');

-- name: insert_review
insert into line_review (bucket, id, line_id, application_id, before_minor, limit_minor, score, reviewed_on, outcome,
                         policy, inputs, decision, at)
select head.bucket, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
  from head
 where head.bucket = $1;

-- name: load_reviewed_limit
select before_minor
  from line_review
 where bucket = $1 and line_id = $2 and application_id = $3;

-- name: page_of_reviews
select id, line_id, application_id, before_minor, limit_minor, reviewed_on, outcome, policy, inputs, decision, at
  from line_review
 where bucket = $1 and line_id = $2 and ($3::uuid is null or id < $3)
 order by id desc
 limit $4;

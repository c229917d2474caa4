-- name: make_helpers
-- What the naive script picks from. It belongs to the owner of a scratch database and is never part of an installation.
create table if not exists bench_payer (
    n integer primary key, bucket smallint not null, person_id uuid not null, line_id uuid not null,
    account_id uuid not null, lender_principal uuid not null, lender_pool uuid not null
);
create table if not exists bench_merchant (n integer primary key, merchant_id uuid not null, payable uuid not null);
create table if not exists bench_payload (
    digest bytea not null, answer bytea not null, event bytea not null, features bytea not null, note json not null
);
comment on table bench_payer is 'reference table: of a benchmark';
comment on table bench_merchant is 'reference table: of a benchmark';
comment on table bench_payload is 'reference table: of a benchmark';

-- name: insert_payers
insert into bench_payer (n, bucket, person_id, line_id, account_id, lender_principal, lender_pool)
select p.n, p.bucket, p.person_id, p.line_id, p.account_id, $5, $6
  from unnest($1::smallint[], $2::uuid[], $3::uuid[], $4::uuid[]) with ordinality
       as p (bucket, person_id, line_id, account_id, n);

-- name: insert_merchants
insert into bench_merchant (n, merchant_id, payable)
select m.n, m.merchant_id, m.payable
  from unnest($1::uuid[], $2::uuid[]) with ordinality as m (merchant_id, payable, n);

-- name: copy_payload
-- One real payment of the engine lends the sizes of its bytes.
insert into bench_payload (digest, answer, event, features, note)
select claim.digest, claim.answer, event.data, decision.features, journal.note
  from payment
  join key_claim as claim on claim.object_id = payment.id
  join event on event.bucket = payment.bucket and event.object_id = payment.id
  join decision on decision.bucket = payment.bucket and decision.id = payment.decision_id
  join journal on journal.bucket = payment.bucket and journal.of = payment.id
 where payment.status = 'captured'
 order by length(decision.features) desc
 limit 1;

-- name: wal_position
select pg_current_wal_lsn() - '0/0'::pg_lsn as bytes;

-- name: backends
select pid from pg_stat_activity where datname = current_database();

-- name: analyse
analyze;

-- name: checkpoint
checkpoint;

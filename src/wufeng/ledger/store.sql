-- name: open_accounts
-- Opening what is open is not an error: the second time nothing changes.
insert into account (bucket, id, kind, owner, currency, min_minor, max_minor)
select head.bucket, a.id, a.kind, a.owner, a.currency, a.min_minor, a.max_minor
  from head, unnest($2::uuid[], $3::smallint[], $4::uuid[], $5::text[], $6::bigint[], $7::bigint[])
       as a (id, kind, owner, currency, min_minor, max_minor)
 where head.bucket = $1
    on conflict (bucket, id) do nothing;

-- name: register_folded_accounts
insert into folded_account (id, kind, owner, currency, book)
select a.id, a.kind, a.owner, a.currency, a.book
  from unnest($1::uuid[], $2::smallint[], $3::uuid[], $4::text[], $5::smallint[]) as a (id, kind, owner, currency, book)
    on conflict (id) do nothing;

-- name: load_balances
select id, balance_minor, held_minor, min_minor, max_minor
  from account
 where bucket = $1 and id = any($2::uuid[]);

-- name: move_balances
-- All guarded legs of a batch at once; the row's own checks are floor and ceiling. The caller counts the rows: an
-- account that is missing, or in another currency, is not moved.
update account
   set balance_minor = account.balance_minor + move.amount_minor
  from unnest($2::uuid[], $3::bigint[]) as move (id, amount_minor)
 where account.bucket = $1 and account.id = move.id and account.currency = $4;

-- name: place_holds
with placed as (
    insert into hold (bucket, id, account_id, of, amount_minor)
    select head.bucket, h.id, h.account_id, h.of, h.amount_minor
      from head, unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[]) as h (id, account_id, of, amount_minor)
     where head.bucket = $1
    returning account_id, amount_minor
), moved as (
    update account
       set held_minor = account.held_minor + batch.amount_minor
      from (select account_id, sum(amount_minor)::bigint as amount_minor from placed group by account_id) as batch
     where account.bucket = $1 and account.id = batch.account_id
    returning account.id
)
select (select count(distinct account_id) from placed) = (select count(*) from moved) as whole;

-- name: post_holds
-- A hold that has ended does not move, and one that would be posted past its amount breaks its row's check.
with ended as (
    update hold
       set posted_minor = hold.posted_minor + part.amount_minor,
           status = case when hold.posted_minor + part.amount_minor = hold.amount_minor then 'posted' else 'held' end
      from (select p.id, sum(p.amount_minor)::bigint as amount_minor
              from unnest($2::uuid[], $3::bigint[]) as p (id, amount_minor)
             group by p.id) as part
     where hold.bucket = $1 and hold.id = part.id and hold.status = 'held' and part.amount_minor > 0
    returning hold.account_id, part.amount_minor
), moved as (
    update account
       set held_minor = account.held_minor - batch.amount_minor
      from (select account_id, sum(amount_minor)::bigint as amount_minor from ended group by account_id) as batch
     where account.bucket = $1 and account.id = batch.account_id
    returning account.id
)
select (select count(*) from ended) = (select count(distinct p.id) from unnest($2::uuid[]) as p (id))
   and (select count(distinct account_id) from ended) = (select count(*) from moved) as whole;

-- name: void_holds
with ended as (
    update hold
       set status = 'voided'
     where hold.bucket = $1 and hold.id = any($2::uuid[]) and hold.status = 'held'
    returning account_id, amount_minor - posted_minor as amount_minor
), moved as (
    update account
       set held_minor = account.held_minor - batch.amount_minor
      from (select account_id, sum(amount_minor)::bigint as amount_minor from ended group by account_id) as batch
     where account.bucket = $1 and account.id = batch.account_id
    returning account.id
)
select (select count(*) from ended) = cardinality($2::uuid[])
   and (select count(distinct account_id) from ended) = (select count(*) from moved) as whole;

-- name: write_journals
-- Composite values, in the table's own order of columns: each holds the legs of its journal in two arrays.
insert into journal (bucket, kind, business_on, seq, at, reverses, of, guarded, currency, accounts, amounts, note)
select j.bucket, j.kind, j.business_on, j.seq, j.at, j.reverses, j.of, j.guarded, j.currency, j.accounts, j.amounts,
       j.note
  from head, unnest($2::journal[]) as j
 where head.bucket = $1;

-- name: fold
-- Only folded legs: the guarded ones stand first and are skipped by their number.
insert into folded_balance as folded (bucket, id, balance_minor)
select journal.bucket, leg.account_id, sum(leg.amount_minor)::bigint
  from journal
 cross join lateral unnest(journal.accounts[journal.guarded + 1 :], journal.amounts[journal.guarded + 1 :])
       as leg (account_id, amount_minor)
 where journal.bucket = $1 and journal.seq > $2 and journal.seq <= $3
 group by journal.bucket, leg.account_id
    on conflict (bucket, id) do update set balance_minor = folded.balance_minor + excluded.balance_minor;

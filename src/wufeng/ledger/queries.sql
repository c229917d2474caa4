-- name: seqs_of
select of, seq from journal where bucket = $1 and of = any($2::uuid[]) order by seq;

-- name: journals_of
select bucket, seq, at, kind, of, currency, business_on, accounts, amounts, guarded, note, reverses
  from journal
 where bucket = $1 and of = $2
 order by seq;

-- name: reversals_of
select bucket, seq, at, kind, of, currency, business_on, accounts, amounts, guarded, note, reverses
  from journal
 where bucket = $1 and of = any($2::uuid[]) and reverses is not null
 order by seq;

-- name: journal_at
select bucket, seq, at, kind, of, currency, business_on, accounts, amounts, guarded, note, reverses
  from journal
 where bucket = $1 and seq = $2;

-- name: guarded_entries
-- The index finds the account's few entries; the running balance needs all of them, the page only the last.
with entry as materialized (
    select journal.seq, journal.at, journal.business_on, journal.kind, journal.of, journal.note,
           (select sum(leg.amount_minor)::bigint
              from unnest(journal.accounts, journal.amounts) as leg (account_id, amount_minor)
             where leg.account_id = $2) as amount_minor
      from journal
     where journal.bucket = $1 and journal.accounts[1:journal.guarded] @> array[$2::uuid]
)
select page.seq, page.at, page.business_on, page.kind, page.of, page.note, page.amount_minor, page.balance_minor
  from (select entry.seq, entry.at, entry.business_on, entry.kind, entry.of, entry.note, entry.amount_minor,
               (sum(entry.amount_minor) over (order by entry.seq))::bigint as balance_minor
          from entry) as page
 where page.seq < $3
 order by page.seq desc
 limit $4;

-- name: folded_entries
-- Backwards from the newest: a folded account has many entries, and no index holds them. Its stripe has no running balance.
select journal.seq, journal.at, journal.business_on, journal.kind, journal.of, journal.note,
       (select sum(leg.amount_minor)::bigint
          from unnest(journal.accounts, journal.amounts) as leg (account_id, amount_minor)
         where leg.account_id = $2) as amount_minor,
       null::bigint as balance_minor
  from journal
 where journal.bucket = $1 and journal.seq < $3 and journal.accounts @> array[$2::uuid]
 order by journal.seq desc
 limit $4;

-- name: folded_balances
select id, sum(balance_minor)::bigint as balance_minor
  from folded_balance
 where bucket = any($1::smallint[]) and id = any($2::uuid[])
 group by id;

-- name: guarded_accounts
select account.bucket, account.id, account.kind, account.owner, account.currency, account.balance_minor,
       account.held_minor, account.min_minor, account.max_minor
  from account
 where account.bucket = $1 and account.id = any($2::uuid[])
 order by account.kind;

-- name: folded_account
select id, kind, owner, currency, book from folded_account where id = $1;

-- name: account_names
-- The accounts of legs, guarded or folded: what kind each is of, and whose.
select id, kind, owner from account where bucket = $1 and id = any($2::uuid[])
union all
select id, kind, owner from folded_account where id = any($2::uuid[]);

-- name: accounts_of_owner
select id, kind, owner, currency, book from folded_account where owner = $1 order by kind;

-- name: trial_balance
-- One statement, so one snapshot: what followers have folded, and what stands behind their cursors.
with guarded as (
    select currency, kind, count(*) as accounts, sum(balance_minor) as balance_minor
      from account
     where bucket = any($1::smallint[])
     group by currency, kind
), folded as (
    select registered.currency, registered.kind, count(distinct stripe.id) as accounts,
           sum(stripe.balance_minor) as balance_minor
      from folded_balance as stripe
      left join folded_account as registered on registered.id = stripe.id
     where stripe.bucket = any($1::smallint[])
     group by registered.currency, registered.kind
), behind as (
    select leg.currency, registered.kind, 0::bigint as accounts, sum(leg.amount_minor) as balance_minor
      from (select journal.currency, unnest(journal.accounts[journal.guarded + 1 :]) as account_id,
                   unnest(journal.amounts[journal.guarded + 1 :]) as amount_minor
              from head
              left join cursor on cursor.bucket = head.bucket and cursor.follower = $2
              join journal on journal.bucket = head.bucket and journal.seq > coalesce(cursor.seq, 0)
             where head.bucket = any($1::smallint[])) as leg
      left join folded_account as registered on registered.id = leg.account_id
     group by leg.currency, registered.kind
)
select line.currency, line.kind, sum(line.accounts)::bigint as accounts, sum(line.balance_minor)::bigint as balance_minor
  from (select currency, kind, accounts, balance_minor from guarded
        union all select currency, kind, accounts, balance_minor from folded
        union all select currency, kind, accounts, balance_minor from behind) as line
 group by line.currency, line.kind
 order by line.currency, line.kind;

-- name: whole_in_one_snapshot
-- Long on purpose: nothing is locked, and the figures of one bucket must be of one moment.
set local statement_timeout = 0;

-- name: buckets
select bucket from head order by bucket;

-- name: counts
select head.seq as head_seq,
       coalesce(cursor.seq, 0) as fold_seq,
       (select count(*) from journal where journal.bucket = $1) as journals,
       (select coalesce(sum(cardinality(journal.accounts)), 0)::bigint from journal where journal.bucket = $1) as legs,
       (select count(*) from event where event.bucket = $1) as events,
       (select count(*) from account where account.bucket = $1) as accounts,
       (select count(*) from hold where hold.bucket = $1) as holds
  from head
  left join cursor on cursor.bucket = head.bucket and cursor.follower = $2
 where head.bucket = $1;

-- name: numbers
-- Journals and events together are 1 … head, each once: as many as the head says, none outside, none twice.
select head.seq as head_seq,
       (select count(*) from journal where journal.bucket = $1)
         + (select count(*) from event where event.bucket = $1) as given,
       (select count(*) from journal join event on event.bucket = $1 and event.seq = journal.seq
         where journal.bucket = $1) as twice,
       least((select min(seq) from journal where bucket = $1), (select min(seq) from event where bucket = $1)) as lowest,
       greatest((select max(seq) from journal where bucket = $1), (select max(seq) from event where bucket = $1)) as highest
  from head
 where head.bucket = $1;

-- name: missing_numbers
select n.seq
  from head, generate_series(1, head.seq) as n (seq)
 where head.bucket = $1
   and not exists (select from journal where journal.bucket = $1 and journal.seq = n.seq)
   and not exists (select from event where event.bucket = $1 and event.seq = n.seq)
 order by n.seq
 limit $2;

-- name: unbalanced
-- Sums, not the function of the table's own check: that one may have been replaced.
select leg.seq, sum(leg.amount_minor)::text as found
  from (select seq, unnest(amounts) as amount_minor from journal where bucket = $1 order by seq) as leg
 group by leg.seq
having sum(leg.amount_minor) <> 0 or bool_or(leg.amount_minor = 0) or count(*) <> count(leg.amount_minor)
 limit $2;

-- name: misshapen
select seq
  from journal
 where bucket = $1
   and not (cardinality(amounts) >= 2 and cardinality(accounts) = cardinality(amounts)
            and array_position(accounts, null) is null
            and guarded between 0 and cardinality(amounts)
            and kind in (select number from journal_kind)
            and (kind = 90) = (reverses is not null))
 order by seq
 limit $2;

-- name: went_back
select later.seq
  from (select seq, at, lag(at) over (order by seq) as before from journal where bucket = $1) as later
 where later.before > later.at
 limit $2;

-- name: balances
-- All legs once. A folded stripe stands at the follower's cursor, so what came behind the cursor is taken off again.
with legs as materialized (
    select leg.account_id, leg.currency, sum(leg.amount_minor) as total_minor,
           bool_or(leg.guarded) as some_guarded, bool_and(leg.guarded) as all_guarded
      from (select currency, unnest(accounts) as account_id, unnest(amounts) as amount_minor,
                   generate_series(1, cardinality(accounts)) <= guarded as guarded
              from journal where bucket = $1) as leg
     group by leg.account_id, leg.currency
), behind as materialized (
    select leg.account_id, leg.currency, sum(leg.amount_minor) as total_minor
      from (select currency, unnest(accounts) as account_id, unnest(amounts) as amount_minor
              from journal where bucket = $1 and seq > $2) as leg
     group by leg.account_id, leg.currency
), own as (
    select id, kind, owner, currency, balance_minor from account where bucket = $1
), stripe as (
    select id, balance_minor from folded_balance where bucket = $1
), named as (
    select id, kind, owner from own
    union all
    select registered.id, registered.kind, registered.owner
      from folded_account as registered
     where registered.id in (select account_id from legs)
), compared as (
    select 'guarded_balance' as kind, own.id, coalesce(legs.total_minor, 0) as expected, own.balance_minor as found
      from own
      left join legs on legs.account_id = own.id and legs.currency = own.currency
    union all
    select 'folded_balance', coalesce(folded.account_id, stripe.id), coalesce(folded.total_minor, 0),
           coalesce(stripe.balance_minor, 0)
      from (select legs.account_id, sum(legs.total_minor - coalesce(behind.total_minor, 0)) as total_minor
              from legs
              left join behind on behind.account_id = legs.account_id and behind.currency = legs.currency
             where not exists (select from own where own.id = legs.account_id)
             group by legs.account_id) as folded
      full join stripe on stripe.id = folded.account_id
    union all
    select 'currency', legs.account_id, null, null
      from legs
      left join own on own.id = legs.account_id
      left join folded_account as registered on registered.id = legs.account_id
     where legs.currency <> coalesce(own.currency, registered.currency)
    union all
    select 'unknown_account', legs.account_id, null, null
      from legs
     where not exists (select from own where own.id = legs.account_id)
       and not exists (select from folded_account as registered where registered.id = legs.account_id)
    union all
    -- Joined: a subquery inside a case is asked anew for each leg where its answer is too large for a hash.
    select 'misplaced', legs.account_id, null, null
      from legs
      left join own on own.id = legs.account_id
     where case when own.id is not null then not legs.all_guarded else legs.some_guarded end
    union all
    -- The kind's number stands in bits 64 to 75: the lower half of byte 6 and byte 7, counted from 0.
    select 'identity', named.id, null, null
      from named
     where uuid_send(named.id) <> set_byte(set_byte(uuid_send(named.owner),
                                                    6, get_byte(uuid_send(named.owner), 6) # (named.kind >> 8)),
                                           7, get_byte(uuid_send(named.owner), 7) # (named.kind & 255))
)
select kind, id, expected::text as expected, found::text as found
  from compared
 where expected is distinct from found or expected is null
 limit $3;

-- name: bounds
select id, balance_minor, held_minor
  from account
 where bucket = $1
   and (balance_minor < min_minor or balance_minor + held_minor > max_minor or held_minor < 0)
 limit $2;

-- name: held
-- What accounts hold is what their open holds have not posted yet; a hold without its account shows as well.
select coalesce(account.id, open.account_id) as id, coalesce(open.amount_minor, 0)::text as expected,
       coalesce(account.held_minor, 0)::text as found
  from (select id, held_minor from account where bucket = $1) as account
  full join (select account_id, sum(amount_minor - posted_minor) as amount_minor
               from hold where bucket = $1 and status = 'held' group by account_id) as open
    on open.account_id = account.id
 where coalesce(open.amount_minor, 0) <> coalesce(account.held_minor, 0) or account.id is null
 limit $2;

-- name: misshapen_holds
select id
  from hold
 where bucket = $1
   and not (amount_minor > 0 and posted_minor between 0 and amount_minor
            and (status = 'posted') = (posted_minor = amount_minor))
 limit $2;

-- name: reversals
select journal.seq
  from journal
  left join journal as original on original.bucket = $1 and original.seq = journal.reverses
 where journal.bucket = $1 and journal.reverses is not null
   and (original.seq is null or original.seq >= journal.seq or original.reverses is not null
        or original.currency <> journal.currency or original.accounts <> journal.accounts
        or array(select -amount from unnest(original.amounts) as amount) <> journal.amounts
        or exists (select from journal as other
                    where other.bucket = $1 and other.reverses = journal.reverses and other.seq <> journal.seq))
 order by journal.seq
 limit $2;

-- name: trial
-- From balances, not from legs: the other way round than `balances`. What the follower has not folded yet is added.
select balance.currency, sum(balance.amount_minor)::text as found
  from (select currency, sum(balance_minor) as amount_minor from account where bucket = $1 group by currency
        union all
        select registered.currency, sum(stripe.balance_minor)
          from folded_balance as stripe
          join folded_account as registered on registered.id = stripe.id
         where stripe.bucket = $1
         group by registered.currency
        union all
        select leg.currency, sum(leg.amount_minor)
          from (select currency, unnest(accounts[guarded + 1 :]) as account_id, unnest(amounts[guarded + 1 :]) as amount_minor
                  from journal where bucket = $1 and seq > $2) as leg
         group by leg.currency) as balance
 group by balance.currency
having sum(balance.amount_minor) <> 0;

-- name: keep_verification
insert into verification (book, at, through, journals, breaks, took_ms)
values ($1, $2, $3, $4, $5, $6)
    on conflict (book, at) do nothing;

-- name: heads_of
select sum(seq)::bigint as through from head where bucket = any($1::smallint[]);

-- name: latest_verification
select last.at, last.through, last.journals, last.breaks, last.took_ms,
       last.through <> (select sum(head.seq) from head where head.bucket = any($2::smallint[])) as changed_since
  from verification as last
 where last.book = $1
 order by last.at desc
 limit 1;

-- The ledger: the chart of accounts, guarded accounts with their holds, journals, folded accounts.
-- Amounts are debit-positive minor units: assets and expenses grow with +, liabilities and income with -.

create table account_kind (
    number smallint primary key,
    name   text not null unique,
    class  text not null check (class in ('asset', 'liability', 'income', 'expense', 'memo')),
    owner  text not null check (owner in ('wallet', 'line', 'merchant', 'lender', 'book')),
    upkeep text not null check (upkeep in ('guarded', 'folded'))
);
comment on table account_kind is 'reference table: the chart of accounts, as in the code (ledger/model.py; a test compares them)';

insert into account_kind (number, name, class, owner, upkeep) values
    (1,  'wallet',                'liability', 'wallet',   'guarded'),
    (10, 'line_principal',        'asset',     'line',     'guarded'),
    (11, 'line_interest',         'asset',     'line',     'guarded'),
    (12, 'line_fee',              'asset',     'line',     'guarded'),
    (13, 'line_credit_balance',   'liability', 'line',     'guarded'),
    (14, 'line_charged_off',      'memo',      'line',     'guarded'),
    (20, 'merchant_payable',      'liability', 'merchant', 'folded'),
    (30, 'lender_principal',      'liability', 'lender',   'folded'),
    (31, 'lender_pool',           'asset',     'lender',   'folded'),
    (32, 'interest_income',       'income',    'lender',   'folded'),
    (33, 'instalment_fee_income', 'income',    'lender',   'folded'),
    (34, 'unearned_subsidy',      'liability', 'lender',   'folded'),
    (35, 'credit_loss',           'expense',   'lender',   'folded'),
    (36, 'charged_off_contra',    'memo',      'lender',   'folded'),
    (50, 'bank_clearing',         'asset',     'book',     'folded'),
    (51, 'top_up_clearing',       'asset',     'book',     'folded'),
    (52, 'withdrawal_clearing',   'liability', 'book',     'folded'),
    (53, 'refund_clearing',       'liability', 'book',     'folded'),
    (54, 'settlement_clearing',   'liability', 'book',     'folded'),
    (60, 'merchant_fee_income',   'income',    'book',     'folded');

create table journal_kind (
    number smallint primary key,
    name   text not null unique
);
comment on table journal_kind is 'reference table: what journals record, as in the code (ledger/model.py; a test compares them)';

insert into journal_kind (number, name) values
    (1, 'payment'), (2, 'refund'), (3, 'refund_settled'),
    (10, 'charges_billed'), (11, 'charges_cancelled'),
    (20, 'repayment'), (21, 'credit_balance_applied'), (22, 'credit_balance_returned'),
    (25, 'charge_off'), (26, 'recovery'),
    (30, 'top_up'), (31, 'top_up_settled'),
    (32, 'withdrawal'), (33, 'withdrawal_settled'), (34, 'withdrawal_returned'),
    (40, 'merchant_settlement'), (41, 'merchant_settlement_settled'), (42, 'merchant_settlement_returned'),
    (43, 'lender_settlement'),
    (90, 'reversal');

-- Half of each page stays free: a balance moves with every payment, and no index holds one, so updates stay on the page.
create table account (
    bucket        smallint not null,
    id            uuid not null,
    kind          smallint not null references account_kind (number),
    owner         uuid not null,
    currency      text collate "C" not null check (octet_length(currency) = 3),
    balance_minor bigint not null default 0,
    held_minor    bigint not null default 0,
    min_minor     bigint,
    max_minor     bigint,
    primary key (bucket, id),
    constraint account_hold_not_negative check (held_minor >= 0),
    constraint account_floor check (balance_minor >= min_minor),
    constraint account_ceiling check (balance_minor + held_minor <= max_minor)
) with (fillfactor = 50);
comment on table account is 'distributed by bucket: guarded accounts, their balances kept in the command''s transaction';
comment on column account.id is 'the owner''s id with the kind''s number xor-ed into bits 64 to 75';
comment on column account.held_minor is 'reserved for debits to come; counts against the ceiling';

create table hold (
    bucket       smallint not null,
    id           uuid not null,
    account_id   uuid not null,
    of           uuid not null,
    amount_minor bigint not null check (amount_minor > 0),
    posted_minor bigint not null default 0,
    status       text not null default 'held' check (status in ('held', 'posted', 'voided')),
    primary key (bucket, id),
    constraint hold_posted_within check (posted_minor between 0 and amount_minor),
    constraint hold_posted_whole check ((status = 'posted') = (posted_minor = amount_minor))
) with (fillfactor = 70);
comment on table hold is 'distributed by bucket: reserved debits of guarded accounts; what is not posted stays held until voided';

-- A plain loop: measured faster than a subquery over unnest. A null or a zero makes it false, a sum past 64 bits an error.
create function wufeng_sums_to_zero(amounts bigint[]) returns boolean
    language plpgsql immutable strict parallel safe
as $$
declare
    total  bigint := 0;
    amount bigint;
begin
    foreach amount in array amounts loop
        if amount = 0 then
            return false;
        end if;
        total := total + amount;
    end loop;
    return total is not distinct from 0;
end
$$;

-- The column order leaves no padding. Guarded legs stand first, so nobody needs a look-up to tell them from the folded.
create table journal (
    bucket      smallint not null,
    kind        smallint not null,
    business_on date not null,
    seq         bigint not null,
    at          timestamptz not null,
    reverses    bigint,
    of          uuid not null,
    guarded     smallint not null,
    currency    text collate "C" not null check (octet_length(currency) = 3),
    accounts    uuid[] not null,
    amounts     bigint[] not null,
    note        json not null,
    primary key (bucket, seq),
    constraint journal_reversal check ((kind = 90) = (reverses is not null)),
    constraint journal_balances check (wufeng_sums_to_zero(amounts)),
    constraint journal_legs check (
        cardinality(amounts) between 2 and 1000
        and cardinality(accounts) = cardinality(amounts)
        and array_ndims(amounts) = 1 and array_ndims(accounts) = 1
        and array_lower(amounts, 1) = 1 and array_lower(accounts, 1) = 1
        and array_position(accounts, null) is null
        and guarded between 0 and cardinality(amounts)
    )
);
create index journal_of on journal (bucket, of);
-- Finds a person's entries. Without a pending list: merging one would stop a lane for milliseconds at a time.
create index journal_of_account on journal using gin ((accounts[1:guarded])) with (fastupdate = off);
create unique index journal_reversed_once on journal (bucket, reverses) where reverses is not null;
comment on table journal is 'distributed by bucket: balanced sets of legs in one currency, never changed; seq is given under the head''s lock and shared with events';
comment on column journal.of is 'the payment, refund, bill, repayment that it belongs to';
comment on column journal.guarded is 'how many of the first legs are on guarded accounts';
comment on column journal.note is 'for who reads it later: person, line, product version; kept byte for byte, hence json';

create function wufeng_refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: journals are never changed, only reversed', tg_op, tg_table_name
        using errcode = 'restrict_violation';
end
$$;
create trigger journal_never_changed before update or delete on journal
    for each row execute function wufeng_refuse_change();
create trigger journal_never_truncated before truncate on journal
    for each statement execute function wufeng_refuse_change();

-- Runs for reversals only (the trigger's condition), so other journals do not pay for it.
create function wufeng_check_reversal() returns trigger language plpgsql as $$
declare
    original journal%rowtype;
begin
    select j.* into original from journal as j where j.bucket = new.bucket and j.seq = new.reverses;
    if not found or new.reverses >= new.seq then
        raise exception 'journal % of bucket % reverses %, which does not stand before it', new.seq, new.bucket, new.reverses
            using errcode = 'foreign_key_violation';
    end if;
    if original.reverses is not null
        or new.currency <> original.currency or new.guarded <> original.guarded
        or new.accounts <> original.accounts
        or new.amounts <> (select array_agg(-leg.amount order by leg.n)
                             from unnest(original.amounts) with ordinality as leg (amount, n)) then
        raise exception 'journal % of bucket % is not the opposite of %', new.seq, new.bucket, new.reverses
            using errcode = 'check_violation';
    end if;
    return new;
end
$$;
create trigger journal_reverses_one before insert on journal
    for each row when (new.reverses is not null) execute function wufeng_check_reversal();

create table folded_account (
    id       uuid primary key,
    kind     smallint not null references account_kind (number),
    owner    uuid not null,
    currency text collate "C" not null check (octet_length(currency) = 3),
    book     smallint not null references book (id)
);
create index folded_account_by_owner on folded_account (owner);
comment on table folded_account is 'reference table: accounts whose balances a follower folds from journals, a stripe a bucket';

create table folded_balance (
    bucket        smallint not null,
    id            uuid not null,
    balance_minor bigint not null,
    primary key (bucket, id)
) with (fillfactor = 50);
comment on table folded_balance is 'distributed by bucket: the stripes of folded accounts, up to the cursor of the follower "fold"';

create view leg as
select j.bucket, j.seq, j.at, j.business_on, kind.name as journal_kind, j.of, j.reverses,
       l.position::integer as position, l.account_id, l.position <= j.guarded as guarded, j.currency, l.amount_minor, j.note
  from journal as j
  join journal_kind as kind on kind.number = j.kind
 cross join lateral unnest(j.accounts, j.amounts) with ordinality as l (account_id, amount_minor, position);
comment on view leg is 'a row a leg: journals unfolded, for people and reports';

-- Journals: written and read, nothing else, by the application. Accounts and holds never lose a row, or their identity.
grant select on account_kind, journal_kind, leg to wufeng_app;
grant select, insert on journal, account, hold, folded_account, folded_balance to wufeng_app;
grant update (balance_minor, held_minor, min_minor, max_minor) on account to wufeng_app;
grant update (posted_minor, status) on hold to wufeng_app;
grant update (balance_minor) on folded_balance to wufeng_app;

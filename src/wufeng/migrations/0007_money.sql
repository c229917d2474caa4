-- Money in and money out: the bank's work list, wallets' movements, merchants' settlements, the test bank's memory.

create table bank_instruction (
    bucket          smallint not null,
    id              uuid not null,
    kind            text not null check (kind in ('top_up', 'withdrawal', 'repayment', 'refund', 'settlement')),
    direction       text not null check (direction in ('debit', 'credit')),
    status          text not null default 'new' check (status in ('new', 'sent', 'done', 'refused')),
    owner_id        uuid not null,
    bank_account_id uuid,
    amount_minor    bigint not null check (amount_minor > 0),
    currency        text collate "C" not null check (octet_length(currency) = 3),
    code            text not null default '',
    tries           integer not null default 0,
    next_at         timestamptz not null,
    created_at      timestamptz not null,
    ended_at        timestamptz,
    primary key (bucket, id),
    check ((status in ('done', 'refused')) = (ended_at is not null)),
    check ((status = 'refused') = (code <> '')),
    check (kind = 'settlement' or bank_account_id is not null)
) with (fillfactor = 70);
create index bank_instruction_due on bank_instruction (bucket, next_at) where status in ('new', 'sent');
comment on table bank_instruction is
    'distributed by bucket: what the bank is to do; a follower writes it, the bank runner sends it and asks until the bank knows';
comment on column bank_instruction.id is 'the id of the top-up, withdrawal, repayment …: the bank''s idempotency key';
comment on column bank_instruction.owner_id is 'the person or merchant whose money moves';
comment on column bank_instruction.bank_account_id is 'null: the settlement account that the bank keeps for the merchant';
comment on column bank_instruction.tries is 'claims so far: the token of a lease, so that a runner that was too slow records nothing';
comment on column bank_instruction.next_at is 'when it is sent or asked about next, by the system''s clock; while it is, the end of the lease';

create table wallet_movement (
    bucket          smallint not null,
    id              uuid not null,
    kind            text not null check (kind in ('top_up', 'withdrawal')),
    status          text not null check (status in ('pending', 'posted', 'failed')),
    asked_on        date not null,
    posted_on       date,
    person_id       uuid not null,
    wallet_id       uuid not null,
    bank_account_id uuid not null,
    amount_minor    bigint not null check (amount_minor > 0),
    currency        text collate "C" not null check (octet_length(currency) = 3),
    failure         text,
    created_at      timestamptz not null,
    primary key (bucket, id),
    check ((status = 'posted') = (posted_on is not null)),
    check ((status = 'failed') = (failure is not null))
) with (fillfactor = 85);
create index wallet_movement_by_wallet on wallet_movement (bucket, wallet_id, id);
create index wallet_movement_by_day on wallet_movement (bucket, wallet_id, asked_on) where status <> 'failed';
create index wallet_movement_pending on wallet_movement (bucket, wallet_id) where status = 'pending';
comment on table wallet_movement is 'distributed by bucket: top-ups and withdrawals; a withdrawal''s hold has the withdrawal''s id';
comment on column wallet_movement.failure is 'why the bank refused, in its word';

-- Published by the ledger: legs on folded accounts with what they stand for. Settlements are drawn up from it.
create view folded_leg as
select journal.bucket, journal.seq, journal.business_on, journal.kind as journal_kind, journal.reverses, journal.currency,
       account.kind as account_kind, account.owner, leg.amount_minor
  from journal
 cross join lateral unnest(journal.accounts[journal.guarded + 1 :], journal.amounts[journal.guarded + 1 :])
       as leg (account_id, amount_minor)
  join folded_account as account on account.id = leg.account_id;
comment on view folded_leg is 'a row a leg on a folded account, with the account''s kind and owner; debit-positive';

create table settlement_part (
    bucket          smallint not null,
    merchant_id     uuid not null,
    business_on     date not null,
    slot            integer not null check (slot between 0 and 65535),
    currency        text collate "C" not null check (octet_length(currency) = 3),
    payments        integer not null,
    refunds         integer not null,
    gross_minor     bigint not null,
    refunded_minor  bigint not null,
    fee_minor       bigint not null,
    subsidy_minor   bigint not null,
    returned_minor  bigint not null,
    net_minor       bigint not null,
    primary key (bucket, business_on, merchant_id),
    constraint settlement_part_adds_up
        check (net_minor = gross_minor - refunded_minor - fee_minor - subsidy_minor + returned_minor)
);
comment on table settlement_part is
    'distributed by bucket (of the payers): what the journals of one closed business date in one bucket come to for a merchant';
comment on column settlement_part.slot is 'of the merchant''s id: says in which bucket the merchant''s settlement lives';

create table settlement_drawn (
    bucket   smallint primary key,
    through  date,
    from_seq bigint not null
) with (fillfactor = 50);
comment on table settlement_drawn is 'distributed by bucket: through which business date its parts have been drawn up';
comment on column settlement_drawn.from_seq is 'no journal of a later date has a number below it: where the next day''s reading begins';

create table settlement (
    bucket          smallint not null,
    id              uuid not null,
    merchant_id     uuid not null,
    business_on     date not null,
    status          text not null check (status in ('carried', 'pending', 'paid', 'failed')),
    currency        text collate "C" not null check (octet_length(currency) = 3),
    payments        integer not null,
    refunds         integer not null,
    gross_minor     bigint not null,
    refunded_minor  bigint not null,
    fee_minor       bigint not null,
    subsidy_minor   bigint not null,
    returned_minor  bigint not null,
    net_minor       bigint not null,
    carried_minor   bigint not null check (carried_minor <= 0),
    payout_minor    bigint not null check (payout_minor >= 0),
    failure         text,
    paid_on         date,
    created_at      timestamptz not null,
    primary key (bucket, id),
    constraint settlement_once unique (bucket, merchant_id, business_on),
    constraint settlement_adds_up
        check (net_minor = gross_minor - refunded_minor - fee_minor - subsidy_minor + returned_minor),
    constraint settlement_pays_all check (payout_minor = greatest(0, net_minor + carried_minor)),
    check ((status = 'carried') = (payout_minor = 0)),
    check ((status = 'paid') = (paid_on is not null)),
    check ((status = 'failed') = (failure is not null))
) with (fillfactor = 85);
comment on table settlement is 'distributed by bucket (of the merchant): what a merchant is due for a business date, over all buckets of the book';
comment on column settlement.carried_minor is 'what stood against the merchant from the settlement before';
comment on column settlement.returned_minor is 'earlier payouts that the bank could not pay: due again';

create table settlement_settled (
    bucket  smallint primary key,
    through date
) with (fillfactor = 50);
comment on table settlement_settled is 'distributed by bucket (of the merchants): through which business date its merchants have their settlements';

create table test_bank_instruction (
    id           uuid primary key,
    book         smallint not null,
    direction    text not null check (direction in ('debit', 'credit')),
    behaviour    text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency     text not null,
    outcome      text not null check (outcome in ('done', 'refused')),
    code         text not null default '',
    ready_at     timestamptz not null
);
comment on table test_bank_instruction is
    'reference table, of test books: what the local test bank has done, so that it remembers over restarts; no account number';
comment on column test_bank_instruction.ready_at is 'from when on it answers, by the system''s clock';

grant select, insert, update on bank_instruction, wallet_movement, settlement, settlement_drawn, settlement_settled,
    test_bank_instruction to wufeng_app;
grant select, insert on settlement_part to wufeng_app;
grant select on folded_leg to wufeng_app;

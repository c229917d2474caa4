-- Lenders, product versions, lines, draws, bills, repayments. What a line owes and holds stands in the ledger.

create table lender (
    id         uuid primary key,
    book       smallint not null,
    code       text not null,
    name_zh    text not null,
    name_en    text not null,
    created_at timestamptz not null,
    unique (book, code)
);
comment on table lender is 'reference table: who funds draws';

create table product (
    id             text not null,
    version        integer not null,
    effective_from date not null,
    content_hash   text not null,
    source         text not null,
    created_at     timestamptz not null,
    primary key (id, version)
);
comment on table product is 'reference table: every version of every product that was ever loaded; old draws live by theirs';
comment on column product.source is 'the TOML file, byte for byte';

create table line (
    bucket          smallint not null,
    id              uuid not null,
    person_id       uuid not null,
    limit_minor     bigint not null check (limit_minor >= 0),
    product_version integer not null,
    opened_on       date not null,
    touched_on      date,
    next_bill_on    date,
    past_due_since  date,
    suspend_on      date,
    debited_on      date,
    bill_day        smallint not null check (bill_day between 1 and 31),
    due_day         smallint not null check (due_day between 1 and 31),
    currency        text collate "C" not null check (octet_length(currency) = 3),
    product         text not null,
    status          text not null check (status in ('open', 'frozen', 'suspended', 'closing', 'closed')),
    lenders         uuid[] not null,
    shares_ppm      integer[] not null,
    auto_debit      text[],
    primary key (bucket, id),
    constraint line_has_lenders check (cardinality(lenders) > 0 and cardinality(lenders) = cardinality(shares_ppm))
) with (fillfactor = 80);
create unique index line_of_person on line (bucket, person_id, product) where status <> 'closed';
create index line_to_bill on line (bucket, next_bill_on, id) where next_bill_on is not null;
create index line_to_suspend on line (bucket, suspend_on, id) where suspend_on is not null;
create index line_to_debit on line (bucket, id) where auto_debit is not null;
comment on column line.auto_debit is 'ids of the wallet and bank accounts that bills are debited from, in the person''s order';
comment on column line.debited_on is 'the last date on which the day close has tried to';
comment on table line is 'distributed by bucket: a person''s credit under one product; its balances are ledger accounts';
comment on column line.touched_on is
    'the value date of the last bill, repayment or refund: no later one may be dated before it';
comment on column line.next_bill_on is 'the next bill that will have something on it; null: the day close need not look';

create table line_change (
    bucket      smallint not null,
    id          uuid not null,
    line_id     uuid not null,
    kind        text not null check (kind in
        ('opened', 'limit_set', 'frozen', 'unfrozen', 'suspended', 'restored', 'due_day_set', 'auto_debit_set', 'closing', 'closed')),
    actor       text not null check (actor in ('person', 'staff', 'system')),
    actor_id    uuid,
    reason      text not null,
    limit_minor bigint not null,
    at          timestamptz not null,
    primary key (bucket, id)
);
create index line_change_of_line on line_change (bucket, line_id, id);
comment on table line_change is 'distributed by bucket: the history of lines, who changed what and why';

create table draw (
    bucket             smallint not null,
    tenor              smallint not null check (tenor >= 1),
    billed_parts       smallint not null default 0,
    id                 uuid not null,
    line_id            uuid not null,
    payment_id         uuid not null,
    merchant_id        uuid not null,
    amount_minor       bigint not null check (amount_minor > 0),
    unbilled_minor     bigint not null check (unbilled_minor >= 0),
    prepaid_minor      bigint not null default 0 check (prepaid_minor >= 0),
    product_version    integer not null,
    merchant_share_ppm integer not null default 0,
    posted_on          date,
    billable_on        date,
    status             text not null check (status in ('held', 'posted', 'voided')),
    lenders            uuid[] not null,
    shares_ppm         integer[] not null,
    principal_parts    bigint[] not null,
    fee_parts          bigint[],
    subsidy_parts      bigint[],
    bills              uuid[],
    primary key (bucket, id),
    constraint draw_posted check ((status = 'posted') = (posted_on is not null)),
    constraint draw_unbilled check (status = 'posted' or unbilled_minor = 0)
) with (fillfactor = 85);
create index draw_to_bill on draw (bucket, line_id) where unbilled_minor > 0;
comment on table draw is 'distributed by bucket: one use of a line; its plan is arrays until bills take the parts';
comment on column draw.id is 'the payment''s id with the capture''s number + 1 xor-ed into bits 64 to 75: found without an index';
comment on column draw.principal_parts is 'one element an instalment, as it stands: refunds lower it from the last backwards';
comment on column draw.billable_on is 'from this date on a bill may take it; null: waits for the receipt';

create table bill (
    bucket                smallint not null,
    id                    uuid not null,
    line_id               uuid not null,
    issued_on             date not null,
    due_on                date not null,
    accrued_on            date not null,
    wake_on               date,
    settled               boolean not null,
    daily_ppm             integer not null,
    status                text not null check (status in ('open', 'minimum_paid', 'overdue', 'paid')),
    single_minor          bigint not null,
    instalment_minor      bigint not null,
    fee_minor             bigint not null,
    interest_minor        bigint not null,
    late_interest_minor   bigint not null,
    carried_minor         bigint not null,
    missed_minor          bigint not null,
    minimum_minor         bigint not null,
    paid_principal_minor  bigint not null,
    paid_fee_minor        bigint not null,
    paid_interest_minor   bigint not null,
    counted_minor         bigint not null,
    interest_billed_minor bigint not null,
    segments              json,
    interest_of           json,
    item_draws            uuid[] not null,
    item_parts            smallint[] not null,
    item_tenors           smallint[] not null,
    item_principal        bigint[] not null,
    item_fee              bigint[] not null,
    primary key (bucket, id),
    constraint bill_dates check (issued_on < due_on),
    constraint bill_principal check (paid_principal_minor between 0 and single_minor + instalment_minor),
    constraint bill_fee check (paid_fee_minor between 0 and fee_minor),
    constraint bill_interest check (paid_interest_minor between 0 and interest_minor + late_interest_minor)
) with (fillfactor = 70);
create unique index bill_of_line on bill (bucket, line_id, issued_on);
create index bill_unsettled on bill (bucket, line_id) where not settled;
create index bill_to_wake on bill (bucket, wake_on, line_id) where wake_on is not null;
comment on table bill is 'distributed by bucket: what a line owes for one cycle; items are fixed when it is issued';
comment on column bill.segments is 'stretches of interest that are over: [since_on, until_on, balance_minor, daily_ppm]';
comment on column bill.interest_of is 'where interest_minor comes from: [bill, amount_minor]';
comment on column bill.settled is 'nothing is owed on it and all interest it has earned is billed';
comment on column bill.wake_on is 'the date on which the day close looks at it: the due date, then the day after';

create table repayment (
    bucket          smallint not null,
    id              uuid not null,
    line_id         uuid not null,
    person_id       uuid not null,
    source_id       uuid,
    source          text not null check (source in ('wallet', 'bank_account', 'external')),
    status          text not null check (status in ('pending', 'posted', 'failed', 'reversed')),
    amount_minor    bigint not null check (amount_minor > 0),
    principal_minor bigint not null default 0,
    returned_minor  bigint not null default 0,
    value_on        date not null,
    posted_on       date,
    plan            uuid,
    allocation      json,
    reason          text,
    created_at      timestamptz not null,
    primary key (bucket, id),
    constraint repayment_source check ((source = 'external') = (source_id is null)),
    constraint repayment_posted check ((status in ('posted', 'reversed')) = (posted_on is not null)),
    constraint repayment_returned check (returned_minor between 0 and principal_minor)
) with (fillfactor = 85);
create index repayment_of_line on repayment (bucket, line_id, id);
create index repayment_pending on repayment (bucket, id) where status = 'pending';
comment on table repayment is 'distributed by bucket: money in, and what it paid';
comment on column repayment.value_on is 'the date it counts from: interest ends there, whenever the bank answered';
comment on column repayment.returned_minor is 'principal that refunds have given back to its source';
comment on column repayment.reason is 'why it failed or was reversed';

create table close_run (
    bucket      smallint not null,
    business_on date not null,
    step        text not null,
    row_count   bigint not null,
    at          timestamptz not null,
    primary key (bucket, business_on, step)
);
comment on table close_run is 'distributed by bucket: what the close of a business date has done, a row a finished step';
comment on column close_run.business_on is 'the business date that was closed';

grant select, insert, update on lender, product, line, draw, bill, repayment to wufeng_app;
grant select, insert on line_change to wufeng_app;
grant select, insert, update on close_run to wufeng_app;

-- The interest that lines have earned and no bill holds yet: one sum a product and bucket, moved by events, and booked
-- once a day by the close.

insert into account_kind (number, name, class, owner, upkeep) values
    (37, 'accrued_interest',        'asset',  'lender', 'folded'),
    (38, 'accrued_interest_income', 'income', 'lender', 'folded')
on conflict do nothing;

insert into journal_kind (number, name) values (12, 'accrual') on conflict do nothing;

create table if not exists accrual (
    bucket          smallint not null,
    product         text not null,
    product_version integer not null,
    business_on     date not null,
    micro           bigint not null,
    daily_micro     bigint not null,
    primary key (bucket, product, product_version, business_on)
);
comment on table accrual is
    'distributed by bucket: how the events of a date moved the interest that is earned and not billed: by micro at the end of that date, and by daily_micro for each day after it';
comment on column accrual.product_version is 'the version that the lines were opened under: it names their lenders';

create table if not exists accrual_close (
    bucket          smallint not null,
    product         text not null,
    product_version integer not null,
    business_on     date not null,
    accrued_minor   bigint not null,
    primary key (bucket, product, product_version, business_on)
);
comment on table accrual_close is 'distributed by bucket: what stood as accrued interest in the ledger at the end of a date on which it changed';

grant select, insert, update, delete on accrual to wufeng_app;
grant select, insert on accrual_close to wufeng_app;

-- Products with interest from the day of the draw, with due dates of each draw's own, and plans made of bills.

alter table line alter column bill_day drop not null;
alter table line alter column due_day drop not null;
alter table line drop constraint if exists line_days;
alter table line add constraint line_days check ((bill_day is null) = (due_day is null));
comment on column line.bill_day is 'null: each draw has due dates of its own';

alter table draw alter column payment_id drop not null;
alter table draw alter column merchant_id drop not null;
alter table draw add column if not exists of_bill uuid;
alter table draw add column if not exists daily_ppm integer not null default 0;
alter table draw add column if not exists accrued_on date;
alter table draw add column if not exists interest_billed_minor bigint not null default 0;
alter table draw add column if not exists charges_open boolean not null default false;
alter table draw add column if not exists segments json;
alter table draw add column if not exists interest_parts bigint[];
alter table draw add column if not exists bill_dates date[];
alter table draw add column if not exists due_dates date[];
alter table draw drop constraint if exists draw_purpose;
alter table draw add constraint draw_purpose check ((payment_id is null) = (of_bill is not null));
drop index if exists draw_to_bill;
create index draw_to_bill on draw (bucket, line_id) where unbilled_minor > 0 or charges_open;
comment on column draw.of_bill is 'the bill whose principal this plan spreads; null: it paid a merchant';
comment on column draw.daily_ppm is 'interest a day on what is not billed, from accrued_on on; 0: free until the due date';
comment on column draw.charges_open is 'fees or interest are still to be billed, though principal may not be';
comment on column draw.segments is 'stretches of interest that are over: [since_on, until_on, balance_minor, daily_ppm, least_minor]';
comment on column draw.interest_parts is 'interest of each instalment by its plan; null: none';
comment on column draw.bill_dates is 'dates of the bills of its parts, where they are the draw''s own; null: the line''s';
comment on column draw.due_dates is 'due dates of its parts, where they are the draw''s own';

alter table bill add column if not exists bears_fees boolean not null default false;
alter table bill add column if not exists least_minor integer not null default 0;
alter table bill add column if not exists most_minor bigint;
alter table bill add column if not exists grace_days smallint not null default 0;
alter table bill add column if not exists item_interest bigint[] not null default '{}';
alter table bill drop constraint if exists bill_dates;
alter table bill add constraint bill_dates check (issued_on <= due_on);
comment on column bill.bears_fees is 'late interest is taken of unpaid fees too';
comment on column bill.least_minor is 'the least late interest of one day';
comment on column bill.most_minor is 'no more late interest than this; null: no cap';

create table if not exists draw_refund (
    bucket       smallint not null,
    id           uuid not null,
    line_id      uuid not null,
    draws        uuid[] not null,
    amount_minor bigint not null check (amount_minor > 0),
    value_on     date not null,
    posted_on    date not null,
    returned     json not null,
    primary key (bucket, id)
);
create index if not exists draw_refund_of_line on draw_refund (bucket, line_id, id);
comment on column draw_refund.returned is 'money that it gave back to the sources of repayments';
comment on table draw_refund is 'distributed by bucket: refunds of draws, as a line''s history is folded again';

grant select, insert on draw_refund to wufeng_app;

-- Auto-debit by the hour, reminders of bills, orders whose receipt counts as confirmed after some days.

-- Bills by their due date: what is debited and reminded of on a date, whatever number of bills there is.
create index bill_due on bill (bucket, due_on, line_id) where not settled;
drop index line_to_debit;
alter table line drop column debited_on;

create table debit_try (
    bucket   smallint not null,
    line_id  uuid not null,
    tried_on date not null,
    tries    smallint not null check (tries > 0),
    primary key (bucket, line_id)
) with (fillfactor = 80);
comment on table debit_try is 'distributed by bucket: the last date on which a line was debited, or it was tried';
comment on column debit_try.tries is 'how many of the product''s times of that date have been made';

create table debit (
    bucket       smallint not null,
    repayment_id uuid not null,
    line_id      uuid not null,
    tried_on     date not null,
    number       smallint not null,
    primary key (bucket, repayment_id)
);
comment on table debit is 'distributed by bucket: repayments that auto-debit has asked an outside rail for';
comment on column debit.number is 'which of the product''s times of the date asked, from 0';

create table reminder (
    bucket      smallint not null,
    bill_id     uuid not null,
    reminded_on date not null,
    primary key (bucket, bill_id)
) with (fillfactor = 80);
comment on table reminder is 'distributed by bucket: the last date on which somebody was reminded of a bill';

create table shipment (
    bucket     smallint not null,
    order_id   uuid not null,
    payer_id   uuid not null,
    confirm_on date not null,
    primary key (bucket, order_id)
);
create index shipment_to_confirm on shipment (bucket, confirm_on, order_id);
comment on table shipment is 'distributed by bucket: shipped orders whose receipt nobody has confirmed yet; homed with the order';
comment on column shipment.confirm_on is 'the date on which the receipt counts as confirmed';

grant select, insert, update on debit_try, reminder to wufeng_app;
grant select, insert on debit to wufeng_app;
grant select, insert, update, delete on shipment to wufeng_app;

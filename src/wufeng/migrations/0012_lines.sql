-- The life of a line: raises for a time, freezes with an end, several lines of one product, one cap over all of a person.

alter table line add column temporary_limit_minor bigint;
alter table line add column temporary_until_on date;
alter table line add column ended_raise_minor bigint not null default 0 check (ended_raise_minor >= 0);
alter table line add column frozen_until_on date;
alter table line add column looked_on date;
alter table line add constraint line_raise check ((temporary_limit_minor is null) = (temporary_until_on is null));
alter table line add constraint line_thaw check (frozen_until_on is null or status = 'frozen');
comment on column line.temporary_limit_minor is 'the limit up to temporary_until_on, that date included; null: no raise runs';
comment on column line.ended_raise_minor is
    'by how much a raise that is over had lifted the limit: what is used of it is due with the bill after';
comment on column line.frozen_until_on is 'from this date on it counts as unfrozen; null: until somebody says so';
comment on column line.looked_on is
    'the last date on which the day close looked whether it can be closed, or has something to pay out; null: changed since';

-- How many lines of a product one person may hold is the product's rule, kept under the person's lock.
drop index line_of_person;
create index line_of_person on line (bucket, person_id, id);
create index line_to_end on line (bucket, id)
 where temporary_until_on is not null or frozen_until_on is not null or status = 'closing'
    or (status = 'closed' and looked_on is null);

create table credit_cap (
    bucket    smallint not null,
    person_id uuid not null,
    cap_minor bigint check (cap_minor >= 0),
    set_at    timestamptz not null,
    primary key (bucket, person_id)
);
comment on table credit_cap is 'distributed by bucket: the most that all lines of a person together may come to';
comment on column credit_cap.cap_minor is 'null, like no row: no cap';

alter table line_change drop constraint line_change_kind_check;
alter table line_change add constraint line_change_kind_check check (kind in
    ('opened', 'limit_set', 'raised', 'raise_ended', 'cap_set', 'frozen', 'unfrozen', 'suspended', 'restored',
     'due_day_set', 'auto_debit_set', 'closing', 'closed'));
alter table line_change add column amount_minor bigint;
alter table line_change add column until_on date;
comment on column line_change.amount_minor is 'what was set, where it is not the limit: a temporary limit, a cap';
comment on column line_change.until_on is 'the last date of a raise; the date that ends a freeze';

grant select, insert, update on credit_cap to wufeng_app;

alter table bill add column over_limit_minor bigint not null default 0;
comment on column bill.over_limit_minor is 'principal above the limit once a raise was over: part of the minimum';

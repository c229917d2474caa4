-- Losses: a line whose arrears are too old is charged off; the debt remains, beside the books.

alter table line add column if not exists charged_off_on date;
comment on column line.charged_off_on is 'its loss was taken on that date: what comes in since is a recovery';
alter table line add column if not exists charge_off_on date;
comment on column line.charge_off_on is 'the date on which its loss is taken, if its arrears stay';
create index if not exists line_to_charge_off on line (bucket, charge_off_on, id) where charge_off_on is not null;

create table if not exists charge_off (
    bucket          smallint not null,
    line_id         uuid not null,
    charged_off_on  date not null,
    principal_minor bigint not null check (principal_minor >= 0),
    interest_minor  bigint not null check (interest_minor >= 0),
    fee_minor       bigint not null check (fee_minor >= 0),
    primary key (bucket, line_id)
);
comment on table charge_off is 'distributed by bucket: what was lost of a line when its loss was taken';
grant select, insert on charge_off to wufeng_app;

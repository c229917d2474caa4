-- How payer and payee met, what a payment asks for, codes that pay once, and what accounts have paid.

alter table merchant_order add column channel text not null default 'app';
comment on column merchant_order.channel is 'how payer and payee meet over this order: app, checkout, static_code, dynamic_code, link';

alter table payment add column channel text not null default 'app';
alter table payment add column needs text;
alter table payment add column spender_id uuid;
comment on column payment.channel is 'how payer and payee met: its order''s, or the pay code that was shown';
comment on column payment.needs is 'while it waits for its payer: the weakest confirmation that will do';
comment on column payment.spender_id is 'who pays with a family card of the payer''s; null: the payer';

create table pay_code_use (
    bucket     smallint not null,
    code_id    uuid not null,
    payment_id uuid not null,
    used_at    timestamptz not null,
    primary key (bucket, code_id)
);
create index pay_code_use_by_time on pay_code_use (bucket, used_at);
comment on table pay_code_use is 'distributed by bucket (of the payer): pay codes that were used, each once; old ones are forgotten';
comment on column pay_code_use.payment_id is 'the payment or ride that used it';

create table payment_sum (
    bucket             smallint not null,
    person_id          uuid not null,
    day_on             integer not null,
    year               smallint not null,
    balance_minor      bigint not null check (balance_minor >= 0),
    balance_year_minor bigint not null check (balance_year_minor >= 0),
    balance_few_minor  bigint not null check (balance_few_minor >= 0),
    balance_two_minor  bigint not null check (balance_two_minor >= 0),
    static_minor       bigint not null check (static_minor >= 0),
    code_few_minor     bigint not null check (code_few_minor >= 0),
    code_two_minor     bigint not null check (code_two_minor >= 0),
    offline_minor      bigint not null check (offline_minor >= 0),
    primary key (bucket, person_id)
) with (fillfactor = 60);
comment on table payment_sum is 'distributed by bucket: what a person has paid by balance and by code, for the limits of the law';
comment on column payment_sum.day_on is 'business date of the day''s sums, as a proleptic ordinal';

alter table person add column cooling_until timestamptz;
comment on column person.cooling_until is 'until when low limits hold after phone and number have changed';

-- Ranks of confirmations: a pay code stands between a session and the PIN.
update decision set confirmation = confirmation + 1 where confirmation >= 2;

grant select, insert, delete on pay_code_use to wufeng_app;
grant select, insert, update on payment_sum to wufeng_app;

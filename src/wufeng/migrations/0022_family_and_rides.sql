-- Family cards: a person lets another spend from their money, up to a cap a month. Rides: fares of a day, charged up to
-- a cap.

create table family_card (
    bucket            smallint not null,
    id                uuid not null,
    owner_id          uuid not null,
    owner_phone_id    uuid not null,
    spender_phone_id  uuid not null,
    spender_id        uuid,
    name              text not null,
    use_wallet        boolean not null,
    line_id           uuid,
    month_cap_minor   bigint not null check (month_cap_minor > 0),
    payment_cap_minor bigint check (payment_cap_minor > 0),
    status            text not null check (status in ('invited', 'active', 'paused', 'stopped')),
    expires_at        timestamptz not null,
    month_on          date not null,
    used_minor        bigint not null default 0 check (used_minor >= 0),
    created_at        timestamptz not null,
    primary key (bucket, id),
    check (use_wallet <> (line_id is not null)),
    check ((spender_id is null) or status <> 'invited')
) with (fillfactor = 70);
create index family_card_by_owner on family_card (bucket, owner_id, id);
create index family_card_by_phone on family_card (bucket, spender_phone_id) where spender_id is null;
create index family_card_by_spender on family_card (bucket, spender_id) where spender_id is not null;
comment on table family_card is 'distributed by bucket (of the owner): who may spend from whose money, and how much a month';
comment on column family_card.owner_phone_id is 'name claim of the owner''s phone when the card was made: another phone ends its use';
comment on column family_card.spender_phone_id is 'name claim of the phone that was invited, whoever''s it is, or nobody''s yet';
comment on column family_card.name is 'what the owner calls it';
comment on column family_card.month_on is 'first date of the business month that used_minor stands for';
comment on column family_card.used_minor is 'what payments of that month hold or have taken, less what came back within it';

create table family_use (
    bucket     smallint not null,
    payment_id uuid not null,
    card_id    uuid not null,
    month_on   date not null,
    used_minor bigint not null check (used_minor >= 0),
    primary key (bucket, payment_id)
) with (fillfactor = 80);
create index family_use_by_card on family_use (bucket, card_id, payment_id);
comment on table family_use is 'distributed by bucket: payments made with family cards, those that wait or were declined too';
comment on column family_use.month_on is 'first date of the business month in which it was decided';
comment on column family_use.used_minor is 'what it holds or has taken of that month''s cap';

create table ride_terms (
    merchant_id   uuid primary key,
    book          smallint not null references book (id),
    day_cap_minor bigint not null check (day_cap_minor > 0),
    changed_at    timestamptz not null
);
comment on table ride_terms is 'reference table: the most that a merchant''s rides of a business date cost one person';

create table ride_charge (
    bucket        smallint not null,
    id            uuid not null,
    payer_id      uuid not null,
    merchant_id   uuid not null,
    business_on   date not null,
    rides         integer not null check (rides > 0),
    fares_minor   bigint not null check (fares_minor > 0),
    due_minor     bigint not null check (due_minor >= 0 and due_minor <= fares_minor),
    day_cap_minor bigint not null check (day_cap_minor > 0),
    use_wallet    boolean not null,
    line_id       uuid,
    tenor         smallint not null default 1,
    status        text not null check (status in ('open', 'pending', 'unpaid', 'charged', 'waived')),
    payment_id    uuid,
    order_id      uuid,
    tries         smallint not null default 0,
    tried_on      date,
    created_at    timestamptz not null,
    primary key (bucket, id),
    check ((status = 'open') = (tries = 0))
) with (fillfactor = 70);
create index ride_charge_by_payer on ride_charge (bucket, payer_id, id);
create index ride_charge_due on ride_charge (bucket, business_on) where status in ('open', 'pending', 'unpaid');
create unique index ride_charge_open on ride_charge (bucket, payer_id, merchant_id, business_on) where status = 'open';
comment on table ride_charge is 'distributed by bucket (of the payer): rides of a person with a merchant on a business date, paid in one payment';
comment on column ride_charge.due_minor is 'of the fares, what the day cap leaves to pay';
comment on column ride_charge.tries is 'how often a payment of it was tried; the last one is payment_id''s';

create table ride (
    bucket      smallint not null,
    id          uuid not null,
    charge_id   uuid not null,
    payer_id    uuid not null,
    merchant_id uuid not null,
    ride_no     text not null,
    fare_minor  bigint not null check (fare_minor > 0),
    due_minor   bigint not null check (due_minor >= 0 and due_minor <= fare_minor),
    code_id     uuid not null,
    device_id   uuid,
    business_on date not null,
    created_at  timestamptz not null,
    primary key (bucket, id),
    unique (bucket, payer_id, merchant_id, ride_no)
);
create index ride_by_merchant on ride (bucket, merchant_id, id);
create index ride_by_payer on ride (bucket, payer_id, id);
comment on table ride is 'distributed by bucket (of the payer): one tap at a gate';
comment on column ride.due_minor is 'of the fare, what the day cap left to pay';

grant select, insert, update on family_card, family_use, ride_terms, ride_charge to wufeng_app;
grant select, insert on ride to wufeng_app;

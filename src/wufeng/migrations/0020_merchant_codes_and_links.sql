-- What merchants show to be paid: codes on paper, links in chats; and a person's link for a friend who pays.

create table merchant_code (
    bucket       smallint not null,
    id           uuid not null,
    merchant_id  uuid not null,
    label        text not null,
    subject      text,
    amount_minor bigint check (amount_minor > 0),
    closed_at    timestamptz,
    created_at   timestamptz not null,
    primary key (bucket, id)
);
create index merchant_code_by_merchant on merchant_code (bucket, merchant_id, id);
comment on table merchant_code is 'distributed by bucket (of the merchant''s slot): codes that hang at tills';
comment on column merchant_code.amount_minor is 'what everybody pays; null: whoever pays keys it in';

create table payment_link (
    bucket       smallint not null,
    id           uuid not null,
    merchant_id  uuid not null,
    amount_minor bigint not null check (amount_minor > 0),
    subject      text not null,
    uses_max     smallint not null check (uses_max between 1 and 100),
    expires_at   timestamptz not null,
    closed_at    timestamptz,
    created_at   timestamptz not null,
    primary key (bucket, id)
);
create index payment_link_by_merchant on payment_link (bucket, merchant_id, id);
comment on table payment_link is 'distributed by bucket (of the merchant''s slot): links that are sent in chats';
comment on column payment_link.uses_max is 'how many orders of it may be paid';

create table payment_link_use (
    bucket     smallint not null,
    link_id    uuid not null,
    number     smallint not null,
    order_id   uuid not null,
    person_id  uuid not null,
    expires_at timestamptz not null,
    primary key (bucket, link_id, number)
);
comment on table payment_link_use is 'distributed by bucket (of the link): the order that each use of a link has now';
comment on column payment_link_use.person_id is 'who asked for the order; whoever has the link may pay it';

create table friend_link (
    bucket       smallint not null,
    id           uuid not null,
    order_id     uuid not null,
    asker_id     uuid not null,
    expires_at   timestamptz not null,
    cancelled_at timestamptz,
    created_at   timestamptz not null,
    primary key (bucket, id)
);
create index friend_link_by_order on friend_link (bucket, order_id, asker_id);
comment on table friend_link is 'distributed by bucket (of the order''s slot): who asks a friend to pay an order';

grant select, insert, update on merchant_code, payment_link, payment_link_use, friend_link to wufeng_app;

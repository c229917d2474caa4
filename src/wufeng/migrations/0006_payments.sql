-- Orders (each is its own claim), payments, refunds, quotes, checkout sessions.

create table merchant_order (
    bucket               smallint not null,
    id                   uuid not null,
    book                 smallint not null,
    merchant_id          uuid not null,
    order_no             text not null check (length(order_no) between 1 and 64),
    amount_minor         bigint not null check (amount_minor > 0),
    currency             text not null,
    subject              text not null,
    scene                text not null,
    receipt              text not null check (receipt in ('none', 'confirm')),
    metadata             bytea,
    state                text not null
                         check (state in ('open', 'paid', 'shipped', 'receipt_confirmed', 'closed', 'expired')),
    payment_id           uuid,
    payer_id             uuid,
    expires_at           timestamptz,
    paid_at              timestamptz,
    shipped_at           timestamptz,
    receipt_confirmed_at timestamptz,
    created_at           timestamptz not null,
    primary key (bucket, id),
    check (state not in ('paid', 'shipped', 'receipt_confirmed') or payment_id is not null)
) with (fillfactor = 80);
create index merchant_order_by_merchant on merchant_order (bucket, merchant_id, created_at);
create index merchant_order_by_expiry on merchant_order (bucket, expires_at) where state = 'open';
comment on table merchant_order is
    'distributed by bucket (of the order''s own hash): what is to be paid; its terms never change';
comment on column merchant_order.id is 'hash of merchant and order number: the number names one order for ever';
comment on column merchant_order.payment_id is 'the one payment that is authorised, pending or captured; null: free';

create table payment (
    bucket         smallint not null,
    id             uuid not null,
    payer_id       uuid not null,
    merchant_id    uuid not null,
    order_id       uuid not null,
    order_no       text not null,
    amount_minor   bigint not null check (amount_minor > 0),
    currency       text not null,
    scene          text not null,
    subject        text not null,
    receipt        text not null,
    inline_order   boolean not null,
    status         text not null check (status in ('requires_action', 'pending', 'authorised', 'captured', 'declined',
                                                   'voided', 'expired', 'failed')),
    capture        text not null check (capture in ('now', 'later')),
    use_wallet     boolean not null,
    line_id        uuid,
    tenor          smallint not null,
    merchant_share_ppm integer not null default 0,
    wallet_minor   bigint not null default 0 check (wallet_minor >= 0),
    credit_minor   bigint not null default 0 check (credit_minor >= 0),
    captured_minor bigint not null default 0,
    fee_minor      bigint not null default 0,
    refunded_minor bigint not null default 0,
    wallet_refunded_minor bigint not null default 0,
    wallet_hold_id uuid,
    line_hold_id   uuid,
    decision_id    uuid,
    reasons        text not null default '',
    caller_id      uuid not null,
    confirmed_by   text,
    expires_at     timestamptz,
    captured_at    timestamptz,
    created_at     timestamptz not null,
    primary key (bucket, id),
    check (captured_minor between 0 and amount_minor),
    check (refunded_minor between 0 and captured_minor),
    check (status not in ('authorised', 'captured') or decision_id is not null)
) with (fillfactor = 85);
create index payment_by_payer on payment (bucket, payer_id, id);
create index payment_by_merchant on payment (bucket, merchant_id, id);
create index payment_by_expiry on payment (bucket, expires_at)
    where status in ('requires_action', 'pending', 'authorised');
comment on table payment is 'distributed by bucket: one attempt to pay an order';
comment on column payment.fee_minor is 'the merchant''s fee on what is captured, refunds not taken off';

create table refund (
    bucket             smallint not null,
    id                 uuid not null,
    payment_id         uuid not null,
    merchant_id        uuid not null,
    payer_id           uuid not null,
    refund_no          text not null check (length(refund_no) between 1 and 64),
    amount_minor       bigint not null check (amount_minor > 0),
    wallet_minor       bigint not null check (wallet_minor >= 0),
    fee_returned_minor bigint not null check (fee_returned_minor >= 0),
    currency           text not null,
    reason             text not null,
    status             text not null check (status in ('pending', 'posted', 'failed')),
    effects            bytea not null,
    returns            bytea not null,
    created_at         timestamptz not null,
    posted_at          timestamptz,
    primary key (bucket, id),
    unique (bucket, payment_id, refund_no),
    check (wallet_minor <= amount_minor),
    check ((status = 'posted') = (posted_at is not null))
);
create index refund_by_merchant on refund (bucket, merchant_id, id);
comment on table refund is 'distributed by bucket: money given back after capture';
comment on column refund.effects is 'what it did, as the API shows it (JSON)';
comment on column refund.returns is 'what went to banks, and what they said (JSON)';

create table quote (
    bucket       smallint not null,
    id           uuid not null,
    payer_id     uuid,
    merchant_id  uuid not null,
    order_id     uuid,
    amount_minor bigint not null check (amount_minor > 0),
    currency     text not null,
    scene        text not null,
    body         bytea not null,
    options      bytea not null,
    expires_at   timestamptz not null,
    created_at   timestamptz not null,
    primary key (bucket, id)
);
comment on table quote is 'distributed by bucket: the priced ways to pay, as shown';
comment on column quote.body is 'the sheet as it was shown (JSON)';
comment on column quote.options is 'what each option means for a payment: funding and product (JSON)';

create table checkout_session (
    bucket                 smallint not null,
    id                     uuid not null,
    merchant_id            uuid not null,
    order_id               uuid not null,
    return_url             text not null,
    tenors                 smallint[] not null,
    merchant_fee_share_ppm integer not null check (merchant_fee_share_ppm between 0 and 1000000),
    expired_at             timestamptz,
    expires_at             timestamptz not null,
    created_at             timestamptz not null,
    primary key (bucket, id)
);
create index checkout_session_of_order on checkout_session (bucket, order_id, created_at);
comment on table checkout_session is 'distributed by bucket (of its order): the hosted page of one order';

grant select, insert, update on merchant_order, payment, refund, checkout_session to wufeng_app;
grant select, insert on quote to wufeng_app;

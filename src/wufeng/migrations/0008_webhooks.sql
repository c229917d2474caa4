-- Webhooks: who wants events sent where, each event's delivery to each endpoint, and the log of sendings.
-- A delivery holds no copy of its event: the bytes are made from the event row each time, and are always the same.

create table webhook_endpoint (
    id          uuid primary key,
    book        smallint not null references book (id),
    merchant_id uuid,
    url         text not null,
    types       text[] not null,
    secret      bytea not null,
    status      text not null check (status in ('enabled', 'disabled', 'deleted')),
    created_at  timestamptz not null
);
create index webhook_endpoint_by_owner on webhook_endpoint (book, merchant_id);
comment on table webhook_endpoint is 'reference table: addresses that merchants and the platform want their events sent to';
comment on column webhook_endpoint.merchant_id is 'whose events; null: those of the whole book, for the platform';
comment on column webhook_endpoint.types is 'event types wanted; none: all';
comment on column webhook_endpoint.secret is 'the signing secret, sealed under a key outside the database';

create table delivery (
    bucket         smallint not null,
    id             uuid not null,
    endpoint_id    uuid not null,
    event_seq      bigint not null,
    event_index    smallint not null,
    type           text not null,
    object_id      uuid not null,
    status         text not null check (status in ('waiting', 'delivered', 'dead')),
    attempts       integer not null default 0,
    sendings       integer not null default 0,
    round_began_at timestamptz not null,
    due_at         timestamptz not null,
    created_at     timestamptz not null,
    ended_at       timestamptz,
    primary key (bucket, id),
    check ((status = 'waiting') = (ended_at is null))
);
create index delivery_due on delivery (bucket, endpoint_id, due_at) where status = 'waiting';
create index delivery_in_order on delivery (bucket, endpoint_id, object_id, event_seq, event_index)
    where status = 'waiting';
create index delivery_by_endpoint on delivery (bucket, endpoint_id, created_at, id);
create index delivery_by_age on delivery using brin (created_at);
comment on table delivery is 'distributed by bucket: one event on its way to one endpoint';
comment on column delivery.attempts is 'sendings in this round; a resend begins a new one';
comment on column delivery.sendings is 'sendings ever: the token of a lease, so that a sender that was too slow records nothing';
comment on column delivery.due_at is 'when it is sent next; while it is being sent, the end of the lease';

create table delivery_attempt (
    bucket          smallint not null,
    delivery_id     uuid not null,
    number          integer not null,
    at              timestamptz not null,
    took_ms         integer not null,
    response_status integer,
    failure         text,
    primary key (bucket, delivery_id, number)
);
comment on table delivery_attempt is 'distributed by bucket: the log of sendings';

grant select, insert, update on webhook_endpoint to wufeng_app;
grant select, insert, update, delete on delivery to wufeng_app;
grant select, insert, delete on delivery_attempt to wufeng_app;

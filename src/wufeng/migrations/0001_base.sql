-- Books and their buckets, the head of each bucket, events, claims.
-- Every table that belongs to people has `bucket` first in its key; small shared ones say "reference table".

create table book (
    id              smallint primary key,
    name            text not null unique,
    mode            text not null check (mode in ('test', 'live')),
    currency        text not null check (currency ~ '^[A-Z]{3}$'),
    time_zone       text not null,
    cut_off         time not null,
    clock_offset_us bigint not null default 0 check (clock_offset_us = 0 or mode = 'test'),
    created_at      timestamptz not null
);
comment on table book is 'reference table: accounts sharing a calendar and a clock';
comment on column book.clock_offset_us is 'microseconds that the clock of a test book is ahead of the system clock';

create table slot_range (
    book       smallint not null references book (id),
    first_slot integer not null check (first_slot between 0 and 65535),
    last_slot  integer not null check (last_slot between 0 and 65535),
    bucket     smallint not null,
    primary key (book, first_slot),
    check (first_slot <= last_slot)
);
comment on table slot_range is 'reference table: which bucket holds the objects whose ids carry a slot';

create table head (
    bucket         smallint primary key,
    book           smallint not null,
    seq            bigint not null default 0,
    booked_at      timestamptz not null,
    closed_through date
) with (fillfactor = 20);
comment on table head is 'distributed by bucket: the last row a batch locks; numbers its events and journals';
comment on column head.closed_through is 'the last business date that is closed; nothing is booked on it or before it any more';

create table event (
    bucket      smallint not null,
    seq         bigint not null,
    kind        text not null,
    object_id   uuid not null,
    person_id   uuid,
    merchant_id uuid,
    at          timestamptz not null,
    business_on date not null,
    data        bytea not null,
    primary key (bucket, seq)
);
create index event_by_merchant on event (bucket, merchant_id, seq) where merchant_id is not null;
comment on table event is 'distributed by bucket: facts in the past tense, numbered under the head''s lock';
comment on column event.data is 'the object as the API shows it, JSON in UTF-8, as it was at that moment';

create table cursor (
    bucket   smallint not null,
    follower text not null,
    seq      bigint not null default 0,
    primary key (bucket, follower)
) with (fillfactor = 50);
comment on table cursor is 'distributed by bucket: how far a follower has come';

create table key_claim (
    bucket     smallint not null,
    id         uuid not null,
    digest     bytea not null,
    status     smallint,
    answer     bytea,
    object_id  uuid,
    created_at timestamptz not null,
    primary key (bucket, id),
    check ((status is null) = (answer is null))
) with (fillfactor = 60);
create index key_claim_by_age on key_claim using brin (created_at);
comment on table key_claim is 'distributed by bucket (of the claim''s own hash): one key means one request';
comment on column key_claim.id is 'hash of the caller and the Idempotency-Key';
comment on column key_claim.digest is 'keyed digests of the request and of each of its fields, never the request itself';

create table name_claim (
    bucket     smallint not null,
    kind       text not null,
    id         uuid not null,
    object_id  uuid not null,
    created_at timestamptz not null,
    primary key (bucket, kind, id)
);
comment on table name_claim is 'distributed by bucket (of the claim''s own hash): names that are unique in a book';

grant select, insert, update on book, slot_range, head, cursor to wufeng_app;
grant select, insert on event to wufeng_app;
grant select, insert, update, delete on key_claim, name_claim to wufeng_app;

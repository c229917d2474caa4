-- People, what proves that they are here (codes, PINs, sessions), merchants, keys, staff, bank accounts.
-- Personal data stands in `personal_data`, `bank_account` and nowhere else, sealed under a key of each person.

create table person (
    bucket     smallint not null,
    id         uuid not null,
    wallet_id  uuid not null,
    status     text not null check (status in ('active', 'frozen', 'erased')),
    tier       smallint not null check (tier between 1 and 3),
    outcome    text not null
               check (outcome in ('none', 'always_declined', 'step_up', 'review', 'late_payer')),
    created_at timestamptz not null,
    primary key (bucket, id)
) with (fillfactor = 80);
create unique index person_by_wallet on person (bucket, wallet_id);
comment on table person is 'distributed by bucket: the row that every money command locks; narrow, since each lock dirties its page';
comment on column person.outcome is 'how a test person behaves; always none in a live book';

create table personal_data (
    bucket      smallint not null,
    person_id   uuid not null,
    sealed_key  bytea not null,
    phone_name  uuid not null,
    phone       bytea not null,
    external_id bytea,
    name        bytea,
    document    bytea,
    primary key (bucket, person_id)
);
comment on table personal_data is 'distributed by bucket: sealed under the person''s own key; erasure deletes the row, and with it the key';
comment on column personal_data.sealed_key is 'the person''s key, sealed by the master key, which is not in the database';
comment on column personal_data.phone_name is 'keyed hash of the phone: names its claim and its one-time codes';

create table one_time_code (
    bucket     smallint not null,
    phone_name uuid not null,
    purpose    text not null check (purpose in ('sign_in', 'pin')),
    code_hash  bytea not null,
    tries      smallint not null default 0 check (tries between 0 and 5),
    sends      smallint not null check (sends between 1 and 5),
    window_at  timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz,
    primary key (bucket, phone_name, purpose)
) with (fillfactor = 70);
comment on table one_time_code is 'distributed by bucket (of the phone''s hash): the last code sent, for known and unknown phones alike';
comment on column one_time_code.window_at is 'when the hour began in which sends are counted';

create table message (
    bucket     smallint not null,
    id         uuid not null,
    number     bigint generated always as identity,
    phone_name uuid not null,
    purpose    text not null,
    code       text not null,
    text       text not null,
    created_at timestamptz not null,
    primary key (bucket, id)
);
create index message_by_phone on message (bucket, phone_name, number);
comment on table message is 'distributed by bucket (of the phone''s hash): what a test book would have sent by SMS; empty in live books';
comment on column message.number is 'order of writing: ids of one millisecond have none';

create table payment_pin (
    bucket    smallint not null,
    person_id uuid not null,
    hash      text not null,
    tries     smallint not null default 0 check (tries between 0 and 5),
    tried_at  timestamptz,
    set_at    timestamptz not null,
    primary key (bucket, person_id)
) with (fillfactor = 70);
comment on table payment_pin is 'distributed by bucket: argon2id over a peppered PIN; a try is taken before it is verified';

create table session (
    bucket      smallint not null,
    id          uuid not null,
    person_id   uuid not null,
    secret_hash bytea not null,
    device      text not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    pin_at      timestamptz,
    revoked_at  timestamptz,
    primary key (bucket, id)
);
create index session_by_person on session (bucket, person_id) where revoked_at is null;
comment on table session is 'distributed by bucket: a signed-in device; the id carries the person''s slot';
comment on column session.pin_at is 'when the person last proved the PIN in this session or the one it was rotated from';

create table bank_account (
    bucket      smallint not null,
    id          uuid not null,
    person_id   uuid not null,
    bank        text not null,
    number      bytea not null,
    number_name uuid not null,
    status      text not null check (status in ('unverified', 'verified', 'refused', 'deleted')),
    created_at  timestamptz not null,
    changed_at  timestamptz not null,
    primary key (bucket, id)
) with (fillfactor = 80);
create unique index bank_account_once on bank_account (bucket, person_id, number_name) where status <> 'deleted';
create index bank_account_unverified on bank_account (bucket, id) where status = 'unverified';
comment on table bank_account is 'distributed by bucket: where a person''s money comes from and goes to';
comment on column bank_account.number is 'sealed under the person''s key';

create table merchant (
    id           uuid primary key,
    book         smallint not null references book (id),
    name         text not null,
    scene        text not null,
    fee_rate_ppm integer not null check (fee_rate_ppm between 0 and 1000000),
    status       text not null check (status in ('active', 'closed')),
    created_at   timestamptz not null,
    closed_at    timestamptz,
    check ((status = 'closed') = (closed_at is not null))
);
comment on table merchant is 'reference table: who sells';
comment on column merchant.fee_rate_ppm is 'millionths of a payment that the merchant pays';

create table api_key (
    id           uuid primary key,
    book         smallint not null references book (id),
    kind         text not null check (kind in ('platform', 'merchant')),
    owner_id     uuid not null,
    name         text not null,
    prefix       text not null,
    secret_hash  bytea not null,
    scopes       text[] not null,
    created_at   timestamptz not null,
    revoked_at   timestamptz,
    last_used_on date
) with (fillfactor = 80);
create index api_key_by_owner on api_key (owner_id, id);
comment on table api_key is 'reference table: several live keys an owner may have, so that they can be rotated';
comment on column api_key.owner_id is 'the merchant, or the operator''s own id in the book: idempotency keys are scoped by it';
comment on column api_key.prefix is 'the part that may be shown; the secret is kept as a hash only';

create table staff (
    id            uuid primary key,
    login         text not null unique,
    name          text not null,
    password_hash text not null,
    role          text not null check (role in ('analyst', 'operator', 'supervisor', 'admin')),
    books         smallint[] not null,
    status        text not null check (status in ('active', 'closed')),
    tries         smallint not null default 0,
    tried_at      timestamptz,
    created_at    timestamptz not null
) with (fillfactor = 70);
comment on table staff is 'reference table: who works at the operator';

create table staff_session (
    id          uuid primary key,
    staff_id    uuid not null references staff (id),
    book        smallint not null references book (id),
    secret_hash bytea not null,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    revoked_at  timestamptz
);
create index staff_session_by_staff on staff_session (staff_id) where revoked_at is null;
comment on table staff_session is 'reference table: a signed-in member of staff, in one book, by the system''s clock';

create table audit_entry (
    bucket        smallint not null,
    id            uuid not null,
    by_kind       text not null check (by_kind in ('platform', 'merchant', 'person', 'staff')),
    by_id         uuid not null,
    credential_id uuid not null,
    operation     text not null,
    object_prefix text not null,
    object_id     uuid not null,
    reason        text not null,
    request_id    text not null,
    at            timestamptz not null,
    primary key (bucket, id)
);
create index audit_entry_by_object on audit_entry (bucket, object_id, id);
comment on table audit_entry is 'distributed by bucket (of the object): who did what to it, why and when; never changed';
comment on column audit_entry.credential_id is 'the session or API key that was used';

grant select, insert, update on person, session, bank_account to wufeng_app;
grant select, insert, update, delete on personal_data, payment_pin, one_time_code to wufeng_app;
grant select, insert on message, audit_entry to wufeng_app;
grant select, insert, update on merchant, api_key, staff, staff_session to wufeng_app;

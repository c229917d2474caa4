-- Devices that people sign in on, passkeys, and the challenges that passkeys answer.

create table device (
    bucket      smallint not null,
    id          uuid not null,
    person_id   uuid not null,
    name        text not null,
    secret_hash bytea not null,
    created_at  timestamptz not null,
    seen_at     timestamptz not null,
    trusted_at  timestamptz,
    revoked_at  timestamptz,
    primary key (bucket, id)
) with (fillfactor = 80);
create index device_by_person on device (bucket, person_id) where revoked_at is null;
comment on table device is 'distributed by bucket: what a person signs in on; the id carries the person''s slot';
comment on column device.secret_hash is 'of the secret that the device shows when it signs in again';
comment on column device.seen_at is 'when somebody last signed in on it';
comment on column device.trusted_at is 'when the person first proved a PIN or a passkey on it';

alter table session add column device_id uuid;
alter table session add column passkey_at timestamptz;
comment on column session.device_id is 'the device that signed in; null: a session older than devices';
comment on column session.passkey_at is 'when the person last proved a passkey in this session or the one it was rotated from';
create index session_by_device on session (bucket, device_id) where revoked_at is null;

create table passkey (
    bucket        smallint not null,
    id            uuid not null,
    person_id     uuid not null,
    credential_id bytea not null,
    public_key    bytea not null,
    sign_count    bigint not null check (sign_count >= 0),
    name          text not null,
    device_id     uuid,
    status        text not null check (status in ('active', 'suspended', 'deleted')),
    created_at    timestamptz not null,
    used_at       timestamptz,
    changed_at    timestamptz not null,
    primary key (bucket, id)
) with (fillfactor = 70);
create unique index passkey_once on passkey (bucket, person_id, credential_id) where status <> 'deleted';
comment on table passkey is 'distributed by bucket: public keys that people sign in and confirm with';
comment on column passkey.public_key is 'COSE key; nothing here is secret';
comment on column passkey.sign_count is 'what the authenticator last counted; one that does not grow has been copied';
comment on column passkey.device_id is 'the device that alone holds it, and with which it ends; null: it is synced, or a key of its own';

create table passkey_challenge (
    bucket     smallint not null,
    id         uuid not null,
    purpose    text not null check (purpose in ('register', 'sign_in', 'confirm')),
    person_id  uuid,
    digest     bytea,
    challenge  bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz,
    primary key (bucket, id),
    check ((purpose = 'sign_in') = (person_id is null)),
    check ((purpose = 'confirm') = (digest is not null))
) with (fillfactor = 80);
create index passkey_challenge_by_expiry on passkey_challenge (bucket, expires_at);
comment on table passkey_challenge is 'distributed by bucket: what a passkey is asked to sign, once and within minutes';
comment on column passkey_challenge.person_id is 'whose passkey is to answer; null: whoever signs in';
comment on column passkey_challenge.digest is 'of the request that is confirmed: the answer is good for nothing else';

alter table one_time_code drop constraint one_time_code_purpose_check;
alter table one_time_code add constraint one_time_code_purpose_check
    check (purpose in ('sign_in', 'pin', 'passkey', 'payment'));

grant select, insert, update on device to wufeng_app;
grant select, insert, update, delete on passkey, passkey_challenge to wufeng_app;

-- The codes that people show at tills: made here for two minutes, or made by an enrolled phone without a connection.

create table pay_choice (
    bucket      smallint not null,
    device_id   uuid not null,
    person_id   uuid not null,
    handle_name uuid,
    use_wallet  boolean not null,
    line_id     uuid,
    tenor       smallint not null check (tenor between 1 and 60),
    chosen_at   timestamptz not null,
    stopped_at  timestamptz,
    primary key (bucket, device_id),
    check (use_wallet or line_id is not null)
) with (fillfactor = 80);
comment on table pay_choice is 'distributed by bucket: what the codes of a person''s device pay with';
comment on column pay_choice.handle_name is 'keyed hash of the handle of the codes that it makes without a connection; null: it makes none';
comment on column pay_choice.stopped_at is 'codes made until then are dead';

create table pay_handle (
    bucket     smallint not null,
    name       uuid not null,
    person_id  uuid not null,
    device_id  uuid not null,
    secret     bytea not null,
    tries      smallint not null default 0 check (tries between 0 and 5),
    created_at timestamptz not null,
    primary key (bucket, name)
) with (fillfactor = 90);
comment on table pay_handle is 'distributed by bucket (of the handle''s hash): whose phone makes codes under a handle';
comment on column pay_handle.name is 'keyed hash of the nine digits';
comment on column pay_handle.secret is 'what its one-time passwords are made from, sealed';
comment on column pay_handle.tries is 'wrong passwords since the last right one; at 5 the handle is dead';

create table pay_code (
    bucket     smallint not null,
    name       uuid not null,
    person_id  uuid not null,
    device_id  uuid not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    primary key (bucket, name)
);
create index pay_code_by_expiry on pay_code (bucket, expires_at);
comment on table pay_code is 'distributed by bucket (of the code''s hash): codes made here, for two minutes';
comment on column pay_code.name is 'keyed hash of the digits';

create table pay_code_miss (
    bucket    smallint not null,
    name      uuid not null,
    window_at timestamptz not null,
    misses    integer not null,
    primary key (bucket, name)
) with (fillfactor = 70);
create index pay_code_miss_by_age on pay_code_miss (bucket, window_at);
comment on table pay_code_miss is 'distributed by bucket (of the name''s hash): how often a shop or an address showed a code that was not accepted';

create view signed_in_device as
select s.bucket, s.device_id, s.person_id, s.expires_at
  from session as s
  join device as d on d.bucket = s.bucket and d.id = s.device_id and d.person_id = s.person_id
  join person as p on p.bucket = s.bucket and p.id = s.person_id
 where s.revoked_at is null and d.revoked_at is null and p.status = 'active';
comment on view signed_in_device is 'identity''s answer to whose devices may act: not revoked, signed in, the person active';

grant select, insert, update on pay_choice to wufeng_app;
grant select, insert, update, delete on pay_handle, pay_code_miss to wufeng_app;
grant select, insert, delete on pay_code to wufeng_app;
grant select on signed_in_device to wufeng_app;

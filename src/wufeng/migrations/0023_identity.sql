-- Who somebody is: documents checked outside, changed numbers, tries counted by where they come from, keys by address.

alter table person drop constraint person_outcome_check;
alter table person add constraint person_outcome_check
      check (outcome in ('none', 'always_declined', 'step_up', 'review', 'late_payer', 'verification_refused',
                         'needs_passkey', 'cooling', 'takeover', 'document_taken'));

alter table personal_data add column phone_changed_at timestamptz;
comment on column personal_data.phone_changed_at is 'when the number was last changed; null: it is the first one';

create table identity_check (
    bucket      smallint not null,
    id          uuid not null,
    person_id   uuid not null,
    method      text not null check (method in ('outside', 'face_to_face')),
    kind        text not null check (kind in ('resident_id', 'passport')),
    status      text not null check (status in ('pending', 'passed', 'refused')),
    reason      text not null,
    checks      text[] not null,
    tier        smallint not null check (tier between 1 and 3),
    name        bytea,
    document    bytea,
    evidence    bytea,
    asks        smallint not null default 0,
    asked_at    timestamptz not null,
    created_at  timestamptz not null,
    answered_at timestamptz,
    primary key (bucket, id),
    check ((status = 'pending') = (answered_at is null)),
    check (status = 'pending' or (name is null and document is null and evidence is null))
) with (fillfactor = 80);
create index identity_check_by_person on identity_check (bucket, person_id, id);
create index identity_check_pending on identity_check (bucket, asked_at) where status = 'pending';
comment on table identity_check is 'distributed by bucket: each attempt to prove who a person is, and what came of it';
comment on column identity_check.checks is 'outside checks that this attempt passed';
comment on column identity_check.tier is 'the person''s tier once it was answered; while it is pending, before it';
comment on column identity_check.name is 'with document and evidence: what is claimed, sealed, until the answer';
comment on column identity_check.asked_at is 'when the outside was last asked';

create table try_count (
    bucket  smallint not null,
    id      uuid not null,
    taken   integer not null check (taken >= 0),
    ends_at timestamptz not null,
    primary key (bucket, id)
) with (fillfactor = 60);
create index try_count_by_end on try_count (bucket, ends_at);
comment on table try_count is 'distributed by bucket (of its id): how often something was tried from one place within a window';
comment on column try_count.id is 'keyed hash of what is counted: an address, a device, one PIN over many people';

alter table one_time_code drop constraint one_time_code_purpose_check;
alter table one_time_code add constraint one_time_code_purpose_check
      check (purpose in ('sign_in', 'pin', 'payment', 'passkey', 'phone', 'freeze'));

alter table api_key add column addresses text[] not null default '{}';
comment on column api_key.addresses is 'address ranges (CIDR) that it may be used from; none: anywhere';

grant select, insert, update on identity_check to wufeng_app;
grant select, insert, update, delete on try_count to wufeng_app;

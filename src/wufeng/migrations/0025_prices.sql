-- Price tiers of people, and what their consents to an application have become.

alter table line add column if not exists tier text not null default 'standard';
comment on column line.tier is 'whose prices of its product its draws have; it stays for the life of the line';

create index if not exists application_referred on application (bucket, id) where status = 'referred';

create table if not exists consent_withdrawal (
    bucket         smallint not null,
    application_id uuid not null,
    purpose        text not null,
    line_id        uuid,
    withdrawn_at   timestamptz not null,
    primary key (bucket, application_id, purpose)
);
create index if not exists consent_withdrawal_of_line on consent_withdrawal (bucket, line_id) where line_id is not null;
comment on table consent_withdrawal is
    'distributed by bucket: consents of applications that their people took back; never changed';
comment on column consent_withdrawal.line_id is 'the line that may not be drawn on without it; null: there is none';
grant select, insert on consent_withdrawal to wufeng_app;

create table if not exists application_policy (
    name           text primary key,
    effective_from date not null,
    content_hash   text not null,
    source         text not null,
    created_at     timestamptz not null
);
comment on table application_policy is
    'reference table: every version of the application policy that was ever decided by; applications and reviews name theirs';
grant select, insert on application_policy to wufeng_app;

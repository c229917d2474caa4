-- What a payer has done (read and folded inside each payment), every decision with its inputs, and lists.

create table feature (
    bucket    smallint not null,
    person_id uuid not null,
    packed    bytea not null,
    primary key (bucket, person_id)
) with (fillfactor = 60);
comment on table feature is 'distributed by bucket: a payer''s features, packed; rewritten in place by each payment';

create table decision (
    bucket       smallint not null,
    id           uuid not null,
    payment_id   uuid not null,
    payer_id     uuid not null,
    merchant_id  uuid not null,
    amount_minor bigint not null,
    at           timestamptz not null,
    outcome      text not null check (outcome in ('allow', 'step_up', 'review', 'decline')),
    reasons      text not null,
    rules        text not null,
    policy       text not null,
    product      text,
    confirmation smallint not null,
    features     bytea not null,
    primary key (bucket, id),
    check ((outcome = 'allow') = (reasons = ''))
);
comment on table decision is 'distributed by bucket: approved or declined, every payment has one; never changed';

create table policy (
    id             text not null,
    version        integer not null,
    effective_from timestamptz not null,
    content_hash   text not null,
    source         text not null,
    created_at     timestamptz not null,
    primary key (id, version)
);
comment on table policy is 'reference table: every version of every policy that was ever in force; decisions name theirs';
comment on column policy.source is 'the TOML file, byte for byte';

create table risk_list_member (
    list      text not null,
    member_id uuid not null,
    reason    text not null,
    added_at  timestamptz not null,
    added_by  uuid,
    primary key (list, member_id)
);
create index risk_list_member_by_member on risk_list_member (member_id);
comment on table risk_list_member is 'reference table: people and merchants that policies name by list';

grant select, insert, update on feature to wufeng_app;
grant select, insert on decision, policy to wufeng_app;
grant select, insert, delete on risk_list_member to wufeng_app;

-- Applications: what was asked and agreed to, how it was decided, what was signed; and the monthly reviews of lines.

create table application (
    bucket          smallint not null,
    id              uuid not null,
    person_id       uuid not null,
    line_id         uuid,
    order_id        uuid,
    order_minor     bigint,
    limit_minor     bigint check (limit_minor > 0),
    score           integer not null,
    product_version integer not null,
    review_on       date,
    kind            text not null check (kind in ('opening', 'raise')),
    product         text not null,
    currency        text collate "C" not null check (octet_length(currency) = 3),
    status          text not null
                    check (status in ('checking', 'offered', 'referred', 'accepted', 'declined', 'lapsed')),
    grade           text,
    price           text,
    policy          text not null,
    inputs          json not null,
    decision        json not null,
    sheet           bytea,
    sheet_hash      text,
    contract        bytea,
    contract_hash   text,
    confirmed_by    text,
    expires_at      timestamptz,
    created_at      timestamptz not null,
    decided_at      timestamptz not null,
    accepted_at     timestamptz,
    primary key (bucket, id),
    constraint application_signed check ((status = 'accepted') = (accepted_at is not null)),
    constraint application_papers check (status not in ('offered', 'accepted') or (sheet is not null and contract is not null)),
    constraint application_raise check (kind <> 'raise' or line_id is not null)
) with (fillfactor = 80);
create unique index application_open on application
    (bucket, person_id, product, kind, (coalesce(line_id, '00000000-0000-0000-0000-000000000000'::uuid)))
    where status in ('checking', 'offered', 'referred');
create index application_of_person on application (bucket, person_id, id);
create index application_of_line on application (bucket, line_id, id) where line_id is not null;
create index application_to_lapse on application (bucket, expires_at) where status in ('offered', 'referred');
create index application_to_review on application (bucket, review_on, id) where review_on is not null;
comment on table application is
    'distributed by bucket: a request for a line, or the offer of a higher limit, with what was shown and signed';
comment on column application.inputs is 'all that the decision was made from: with the policy it can be made again';
comment on column application.sheet is 'the all-in cost sheet, canonical JSON as it was shown; never changed, sheet_hash is its SHA-256';
comment on column application.contract is 'the contract as it was shown; never changed';
comment on column application.confirmed_by is 'the proof that the person signed with';
comment on column application.review_on is 'the next monthly review of its line; of all its applications the last accepted keeps it';

create table application_consent (
    bucket         smallint not null,
    application_id uuid not null,
    purpose        text not null,
    version        integer not null,
    given_at       timestamptz not null,
    primary key (bucket, application_id, purpose)
);
comment on table application_consent is
    'distributed by bucket: what a person agreed to with an application, and to which text; never changed';

create table line_review (
    bucket         smallint not null,
    id             uuid not null,
    line_id        uuid not null,
    application_id uuid,
    before_minor   bigint not null,
    limit_minor    bigint not null,
    score          integer not null,
    reviewed_on    date not null,
    outcome        text not null check (outcome in ('offered', 'kept', 'lowered')),
    policy         text not null,
    inputs         json not null,
    decision       json not null,
    at             timestamptz not null,
    primary key (bucket, id)
);
create unique index line_review_of_line on line_review (bucket, line_id, reviewed_on);
comment on table line_review is
    'distributed by bucket: monthly reviews of lines, what was looked at and what came of it; never changed';
comment on column line_review.application_id is 'the application that offers a higher limit';

grant select, insert on application, application_consent, line_review to wufeng_app;
grant update (status, line_id, limit_minor, grade, price, decision, score, sheet, sheet_hash, contract, contract_hash,
              confirmed_by, expires_at, review_on, decided_at, accepted_at) on application to wufeng_app;

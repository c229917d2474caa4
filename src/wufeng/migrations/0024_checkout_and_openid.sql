-- The hosted checkout's ways back into a shop, and sign-ins by the operator's own OpenID provider.

alter table merchant add column if not exists return_origins text[] not null default '{}';
comment on column merchant.return_origins is 'where its checkouts may send people back to; none: anywhere by https';

alter table checkout_session add column if not exists cancel_url text;
alter table checkout_session add column if not exists cancelled_at timestamptz;
comment on column checkout_session.cancel_url is 'where somebody goes who does not pay; null: the return_url';
comment on column checkout_session.cancelled_at is 'a person who had the page did not want to pay';

create table if not exists openid_return (
    bucket      smallint not null,
    id          uuid not null,
    returned_at timestamptz not null,
    primary key (bucket, id)
);
create index if not exists openid_return_by_age on openid_return (bucket, returned_at);
comment on table openid_return is 'distributed by bucket: sign-ins that have come back from their provider, each once';
grant select, insert, delete on openid_return to wufeng_app;

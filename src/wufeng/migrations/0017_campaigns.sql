-- Subsidy campaigns: a merchant carries the price of instalments, within a window and order amounts, up to a budget.

create table campaign (
    id                uuid primary key,
    book              smallint not null references book (id),
    merchant_id       uuid not null,
    name              text not null,
    from_on           date not null,
    until_on          date not null,
    order_least_minor bigint not null check (order_least_minor > 0),
    order_most_minor  bigint,
    tenors            smallint[] not null,
    products          text[] not null,
    share_ppm         integer not null check (share_ppm between 1 and 1000000),
    budget_minor      bigint check (budget_minor > 0),
    given_minor       bigint not null default 0 check (given_minor >= 0),
    status            text not null check (status in ('open', 'paused', 'ended')),
    created_at        timestamptz not null,
    check (from_on <= until_on),
    check (order_least_minor <= order_most_minor),
    check (given_minor <= budget_minor)
) with (fillfactor = 80);
create index campaign_by_merchant on campaign (book, merchant_id, id);
comment on table campaign is 'reference table: what merchants carry of the price of instalments';
comment on column campaign.products is 'of lines that it is for; none: all';
comment on column campaign.share_ppm is 'of the price, carried by the merchant';
comment on column campaign.budget_minor is 'the most that it carries; null: no limit';
comment on column campaign.given_minor is 'of the budget, what the buckets'' slices hold, used or not';

create table campaign_slice (
    bucket      smallint not null,
    campaign_id uuid not null,
    given_minor bigint,
    used_minor  bigint not null default 0 check (used_minor >= 0),
    primary key (bucket, campaign_id),
    check (used_minor <= given_minor)
) with (fillfactor = 50);
comment on table campaign_slice is 'distributed by bucket: the lease of a bucket on a campaign''s budget, made on first use';
comment on column campaign_slice.given_minor is 'what payments of the bucket may use; null: the campaign has no budget';
comment on column campaign_slice.used_minor is 'what payments of the bucket hold or have taken, less what refunds gave back';

alter table payment add column campaign_id uuid;
alter table payment add column campaign_minor bigint not null default 0 check (campaign_minor >= 0);
alter table payment add column campaign_held_minor bigint not null default 0 check (campaign_held_minor >= 0);
comment on column payment.campaign_id is 'the campaign whose share of the price it has';
comment on column payment.campaign_minor is 'of its budget, what was captured with it, less what refunds gave back';
comment on column payment.campaign_held_minor is 'of its budget, what is kept for the amount still to be captured';

grant select, insert, update on campaign, campaign_slice to wufeng_app;

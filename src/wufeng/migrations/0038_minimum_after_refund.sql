-- What a bill asks for after a refund: the part above the limit as it was asked for stays beside what falls of it, and a
-- bill of the minimum alone knows of what it asks for its share.
alter table bill add column if not exists over_limit_refunded_minor bigint not null default 0;
alter table bill add column if not exists used_minor bigint;
comment on column bill.over_limit_refunded_minor is
    'principal refunded since the bill was issued, of draws used then: so much less of over_limit_minor is asked for';
comment on column bill.used_minor is
    'principal used when the bill was issued, less what was refunded of it since, where it asks for a share of that and no more is billed; null: it does not, or is older than this column';

-- What a bill that was issued takes from its line's limits of then, so that it can be told otherwise: as if less or more
-- had been used.
alter table bill add column if not exists over_limit_from_minor bigint;
alter table bill add column if not exists over_limit_most_minor bigint not null default 0;
comment on column bill.over_limit_from_minor is
    'what was allowed when the bill was issued, where a raise that was over had allowed more: principal above it is over_limit_minor; null: no raise had, or it is older than this column';
comment on column bill.over_limit_most_minor is 'how much more that raise had allowed: over_limit_minor is no more';

-- A bill asks for what lies above the limit by what was used when it was issued: a refund lowers that, not the part above
-- the limit as it was capped; and a bill of the minimum alone asks for it too.
alter table bill add column if not exists over_limit_used_minor bigint;
comment on column bill.over_limit_used_minor is
    'principal used when the bill was issued, where a raise that was over had allowed more: of it and of what was refunded since follows what is asked for above over_limit_from_minor; null: no raise had, or it is older than this column';

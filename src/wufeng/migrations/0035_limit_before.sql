-- A raise that is over asks only for what it had allowed: what a permanent limit had, before it was lowered, is repaid as
-- it was agreed. So the line keeps up to where that was.

alter table line add column if not exists earlier_limit_minor bigint;
comment on column line.earlier_limit_minor is
    'what is used up to it was allowed by a permanent limit that was lowered since; null: by limit_minor';

-- What a line's history must remember to be folded again: the due day that was, and what went back to a merchant.

alter table line_change
    add column if not exists due_day_was smallint check (due_day_was between 1 and 31),
    add column if not exists due_after_days_was smallint check (due_after_days_was between 1 and 31);
comment on column line_change.due_day_was is 'the due day until a change of it; what was priced before followed it';
comment on column line_change.due_after_days_was is 'the same of a line whose bills were due so many days after their date';

alter table draw_refund
    add column if not exists subsidy_returned_minor bigint not null default 0 check (subsidy_returned_minor >= 0);
comment on column draw_refund.subsidy_returned_minor is
    'merchant-paid fees that went back to the merchant; 0 of refunds before this column, which differences do not mind';

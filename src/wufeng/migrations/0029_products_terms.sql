-- What product files may say of bill days and of rounding.

alter table line add column if not exists due_after_days smallint check (due_after_days between 1 and 27);
alter table line drop constraint if exists line_days;
alter table line add constraint line_days check (num_nonnulls(due_day, due_after_days) = num_nonnulls(bill_day));
comment on column line.due_after_days is 'bills are due so many days after their date; null: on due_day';

alter table draw add column if not exists rounding text check (rounding in ('half_up', 'down', 'up'));
alter table draw add column if not exists pieces text check (pieces in ('each'));
comment on column draw.rounding is 'of its interest, when it is billed; null: half_even';
comment on column draw.pieces is 'each: every stretch of days is rounded by itself; null: all of them together';

alter table bill add column if not exists rounding text check (rounding in ('half_up', 'down', 'up'));
alter table bill add column if not exists pieces text check (pieces in ('each'));
comment on column bill.rounding is 'of its interest, when it is billed; null: half_even';
comment on column bill.pieces is 'each: every stretch of days is rounded by itself; null: all of them together';

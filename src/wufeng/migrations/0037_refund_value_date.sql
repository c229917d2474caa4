-- A refund may count from an earlier date than the day it is made, and a payment may be undone. What is left over goes back
-- as money on the day that leaves it over, so that what a refund has sent grows.

alter table refund add column if not exists value_on date;
comment on column refund.value_on is 'the date from which it counts; null: the day it was made';

alter table refund drop constraint if exists refund_reason_code_check;
alter table refund add constraint refund_reason_code_check
    check (reason_code in ('changed_mind', 'not_received', 'faulty', 'not_as_described', 'duplicate', 'other', 'undone'));

alter table draw_refund add column if not exists undone boolean not null default false;
comment on column draw_refund.undone is 'as if the purchase had not happened: no charges of it are kept';

grant update (returned) on draw_refund to wufeng_app;

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

-- Due days moved before these columns: the bills between a change and the one before it tell the day, which a month may
-- lack, or how many days after themselves they were due. A change that no bill tells of stays unknown.
with moved as (
    select bucket, id, line_id, (at at time zone 'UTC')::date as moved_on,
           lag((at at time zone 'UTC')::date) over (partition by bucket, line_id order by at, id) as before_on
      from line_change
     where kind = 'due_day_set'
), told as (
    select moved.bucket, moved.id, bill.due_on, bill.due_on - bill.issued_on as after_days,
           max(extract(day from bill.due_on)) over (partition by moved.bucket, moved.id) as due_day
      from moved
      join bill on bill.bucket = moved.bucket and bill.line_id = moved.line_id
     where bill.issued_on < moved.moved_on and (moved.before_on is null or bill.issued_on > moved.before_on + 1)
), was as (
    select bucket, id, max(due_day) as due_day, max(after_days) as after_days,
           min(after_days) = max(after_days) as is_after,
           bool_and(extract(day from due_on) = due_day
                    or extract(day from due_on + 1) = 1 and extract(day from due_on) < due_day) as is_day
      from told
     group by bucket, id
)
update line_change
   set due_day_was = case when was.is_day then was.due_day end,
       due_after_days_was = case when not was.is_day then was.after_days end
  from was
 where line_change.bucket = was.bucket and line_change.id = was.id
   and line_change.due_day_was is null and line_change.due_after_days_was is null
   and (was.is_day or was.is_after and was.after_days between 1 and 31);

-- What banks had refused to take back counted as given back all the same. Both lists of a refund's returns to banks are
-- in one order.
update repayment
   set returned_minor = repayment.returned_minor - kept.amount_minor
  from (select sent.bucket, sent.repayment_id, sum(sent.amount_minor)::bigint as amount_minor
          from (select draw_refund.bucket, draw_refund.id, (back.one ->> 'repayment_id')::uuid as repayment_id,
                       (back.one ->> 'amount_minor')::bigint as amount_minor,
                       row_number() over (partition by draw_refund.bucket, draw_refund.id order by back.place) as number
                  from draw_refund
                 cross join lateral json_array_elements(draw_refund.returned) with ordinality as back (one, place)
                 where back.one -> 'source' ->> 'kind' = 'bank_account') as sent
          join refund on refund.bucket = sent.bucket and refund.id = sent.id
         cross join lateral json_array_elements(convert_from(refund.returns, 'UTF8')::json)
                              with ordinality as answered (one, number)
         where answered.number = sent.number and answered.one ->> 'status' = 'kept'
         group by sent.bucket, sent.repayment_id) as kept
 where repayment.bucket = kept.bucket and repayment.id = kept.repayment_id;

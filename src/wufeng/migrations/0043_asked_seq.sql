-- Money that a bank has answered late stands in its day where it was asked for, before what came later that day.
alter table repayment add column if not exists asked_seq bigint;
comment on column repayment.asked_seq is
    'the bucket''s last number when its bank was asked: what is booked late stands after that on its date; null: nobody asked, it was booked on its day, or it is older than this column';

update repayment
   set asked_seq = coalesce((select journal.seq
                               from journal
                              where journal.bucket = repayment.bucket and journal.at <= repayment.created_at
                              order by journal.seq desc
                              limit 1), 0)
 where repayment.status = 'pending' and repayment.asked_seq is null;

-- What a refund sent of money that counts from its own date is later, too, where that money was told after the refund:
-- it stands at the end of the date. Only what this finds is counted: what a bank has refused since is not.
with later as (
    select draw_refund.bucket, draw_refund.id, sent.place, repayment.id as repayment_id,
           (sent.back ->> 'amount_minor')::bigint as amount_minor
      from draw_refund
      cross join json_array_elements(draw_refund.returned) with ordinality as sent (back, place)
      join repayment on repayment.bucket = draw_refund.bucket
                    and repayment.id = (sent.back ->> 'repayment_id')::uuid
     where (sent.back ->> 'sending')::int > 0 and not coalesce((sent.back ->> 'later')::boolean, false)
       and repayment.value_on = draw_refund.value_on and repayment.posted_on > draw_refund.posted_on
       and repayment.asked_seq is null
), marked as (
    update draw_refund
       set returned = (select json_agg(case when later.place is null then sent.back
                                            else (sent.back::jsonb || '{"later": true}')::json end
                                       order by sent.place)
                         from json_array_elements(draw_refund.returned) with ordinality as sent (back, place)
                         left join later on later.bucket = draw_refund.bucket and later.id = draw_refund.id
                                        and later.place = sent.place)
     where (bucket, id) in (select bucket, id from later)
)
update repayment
   set returned_later_minor = least(returned_minor, returned_later_minor + more.amount_minor)
  from (select bucket, repayment_id, sum(amount_minor)::bigint as amount_minor
          from later
         group by bucket, repayment_id) as more
 where repayment.bucket = more.bucket and repayment.id = more.repayment_id;

comment on column line.next_bill_on is 'the next bill that may have something on it; null: the day close need not look';

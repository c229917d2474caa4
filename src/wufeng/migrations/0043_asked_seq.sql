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
-- it stands at the end of the date.
update draw_refund
   set returned = marked.returned
  from (select draw_refund.bucket, draw_refund.id,
               json_agg(case when (back ->> 'sending')::int > 0 and repayment.value_on = draw_refund.value_on
                              and repayment.posted_on > draw_refund.posted_on and repayment.asked_seq is null
                             then (back::jsonb || '{"later": true}')::json else back end
                        order by place) as returned
          from draw_refund
          cross join json_array_elements(draw_refund.returned) with ordinality as sent (back, place)
          left join repayment on repayment.bucket = draw_refund.bucket
                             and repayment.id = (back ->> 'repayment_id')::uuid
         group by draw_refund.bucket, draw_refund.id
        having bool_or((back ->> 'sending')::int > 0)) as marked
 where draw_refund.bucket = marked.bucket and draw_refund.id = marked.id;

update repayment
   set returned_later_minor = least(returned_minor, later.amount_minor)
  from (select draw_refund.bucket, (back ->> 'repayment_id')::uuid as id,
               sum((back ->> 'amount_minor')::bigint)::bigint as amount_minor
          from draw_refund, json_array_elements(draw_refund.returned) as back
         where (back ->> 'later')::boolean
         group by draw_refund.bucket, (back ->> 'repayment_id')::uuid) as later
 where repayment.bucket = later.bucket and repayment.id = later.id and repayment.value_on < repayment.posted_on;

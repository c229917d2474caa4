-- Of what a refund sends later, a repayment that counts from before the refund pays as much as ever: it is among what the
-- repayment pays, and lowers what it may still give back. Only of repayments after the refund it is not.

comment on column repayment.returned_later_minor is 'of returned_minor: what refunds sent that count from before it, so that it no longer pays that';

update draw_refund
   set returned = marked.returned
  from (select draw_refund.bucket, draw_refund.id,
               json_agg(case when (back ->> 'sending')::int > 0 and repayment.value_on > draw_refund.value_on
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
   set returned_later_minor = least(returned_minor, coalesce(
           (select sum((back ->> 'amount_minor')::bigint)
              from draw_refund, json_array_elements(draw_refund.returned) as back
             where draw_refund.bucket = repayment.bucket and draw_refund.line_id = repayment.line_id
               and (back ->> 'repayment_id')::uuid = repayment.id and (back ->> 'later')::boolean), 0))
 where repayment.returned_later_minor > 0;

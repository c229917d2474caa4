-- What a refund sends back with itself is of what the repayment paid; what is sent later was left over by a history told
-- again, in which the repayment pays so much less already. The two are told apart, so that no more goes back to a source
-- than it paid.

alter table repayment add column if not exists returned_later_minor bigint not null default 0;
comment on column repayment.returned_later_minor is 'of returned_minor: what was left over later, and is not among what it pays';

update repayment
   set returned_later_minor = least(sent.amount_minor, repayment.returned_minor)
  from (select draw_refund.bucket, (back ->> 'repayment_id')::uuid as id, sum((back ->> 'amount_minor')::bigint) as amount_minor
          from draw_refund, json_array_elements(draw_refund.returned) as back
         where (back ->> 'sending')::int > 0
         group by 1, 2) as sent
 where repayment.bucket = sent.bucket and repayment.id = sent.id
   and repayment.returned_later_minor = 0;

-- Why something was refunded: where the reason is the merchant's, paid fees come back to the person too.

insert into journal_kind (number, name) values (13, 'charges_returned') on conflict do nothing;

alter table refund
    add column if not exists reason_code text not null default 'other'
        check (reason_code in ('changed_mind', 'not_received', 'faulty', 'not_as_described', 'duplicate', 'other')),
    add column if not exists charges_returned_minor bigint not null default 0 check (charges_returned_minor >= 0);
comment on column refund.reason_code is 'why, as a machine reads it: whose fault it is follows from it';
comment on column refund.charges_returned_minor is
    'fees of instalments that the payer had paid and got back beside the amount, at the cost of the lenders';

alter table draw_refund add column if not exists merchants_fault boolean not null default false;
comment on column draw_refund.merchants_fault is 'paid fees of the refunded part came back too';

alter table repayment add column if not exists charges_minor bigint not null default 0 check (charges_minor >= 0);
comment on column repayment.charges_minor is 'of it, fees and interest; refunds give back no more than this and the principal';

update repayment
   set charges_minor = paid.charges_minor
  from (select r.bucket, r.id, sum((piece ->> 'amount_minor')::bigint)::bigint as charges_minor
          from repayment as r, json_array_elements(r.allocation) as piece
         where piece ->> 'part' in ('fee', 'interest', 'late_interest', 'daily_interest')
         group by r.bucket, r.id) as paid
 where repayment.bucket = paid.bucket and repayment.id = paid.id;

-- What a repayment paid of principal may change when another is dated before it; what it brought never does.
alter table repayment drop constraint if exists repayment_returned;
alter table repayment
    add constraint repayment_returned check (returned_minor between 0 and amount_minor);

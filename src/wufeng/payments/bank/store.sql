-- name: insert_instructions
-- The object's id is the key: an event handled twice writes once.
insert into bank_instruction (bucket, id, kind, direction, owner_id, bank_account_id, amount_minor, currency, next_at, created_at)
select $1, i.id, i.kind, i.direction, i.owner_id, i.bank_account_id, i.amount_minor, i.currency, $9, $9
  from unnest($2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::bigint[], $8::text[])
       as i (id, kind, direction, owner_id, bank_account_id, amount_minor, currency)
    on conflict (bucket, id) do nothing;

-- name: claim_instructions
-- Marked as sent before it is sent: who dies in between leaves one that is asked about first, never one sent blindly.
-- Locked rows are another process's.
with due as (
    select id
      from bank_instruction
     where bucket = $1 and status in ('new', 'sent') and next_at <= $2 and kind = any($4::text[])
     order by next_at
     limit $5
       for update skip locked
)
update bank_instruction as instruction
   set status = 'sent', tries = instruction.tries + 1, next_at = $3
  from due
 where instruction.bucket = $1 and instruction.id = due.id
returning instruction.id, instruction.kind, instruction.direction, instruction.owner_id, instruction.bank_account_id,
          instruction.amount_minor, instruction.currency, instruction.tries;

-- name: load_open
select id, kind, direction, owner_id, bank_account_id, amount_minor, currency, tries
  from bank_instruction
 where bucket = $1 and id = $2 and status = 'sent';

-- name: postpone
-- Only who holds the lease says when it is asked about next.
update bank_instruction set next_at = $4 where bucket = $1 and id = $2 and tries = $3 and status = 'sent';

-- name: end_instruction
update bank_instruction set status = $3, code = $4, ended_at = $5
 where bucket = $1 and id = $2 and status in ('new', 'sent');

-- name: open_counts
select kind, count(*) as open, min(created_at) as oldest_at
  from bank_instruction
 where bucket = any($1::smallint[]) and status in ('new', 'sent')
 group by kind
 order by kind;

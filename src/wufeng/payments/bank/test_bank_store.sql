-- name: write_down
-- Written once an id; the second sending of an instruction finds it.
insert into test_bank_instruction (id, book, direction, behaviour, amount_minor, currency, outcome, code, ready_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
    on conflict (id) do nothing
returning id;

-- name: recall
select direction, behaviour, amount_minor, currency, outcome, code, ready_at
  from test_bank_instruction
 where id = $1;

-- name: balance
select coalesce(sum(case direction when 'debit' then amount_minor else -amount_minor end), 0)::bigint as balance_minor
  from test_bank_instruction
 where book = $1 and currency = $2 and outcome = 'done';

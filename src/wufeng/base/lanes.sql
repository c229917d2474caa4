-- name: lock_head
select seq from head where bucket = $1 for update;

-- name: set_timeouts
-- Milliseconds, as text. A lane waits for locks for a shorter time than anything else does.
select set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false);

-- name: lock_head
select seq from head where bucket = $1 for update;

-- name: insert_lenders
insert into lender (id, book, code, name_zh, name_en, created_at)
select l.id, $1, l.code, l.name_zh, l.name_en, $6
  from unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) as l (id, code, name_zh, name_en)
on conflict do nothing
returning id;

-- name: load_lenders
select id, book, code, name_zh, name_en from lender order by book, code;

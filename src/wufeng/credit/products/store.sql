-- name: insert_products
insert into product (id, version, effective_from, content_hash, source, created_at)
select p.id, p.version, p.effective_from, p.content_hash, p.source, $6
  from unnest($1::text[], $2::integer[], $3::date[], $4::text[], $5::text[])
       as p (id, version, effective_from, content_hash, source)
    on conflict (id, version) do nothing;

-- name: load_products
select id, version, content_hash, source from product order by id, version;

-- name: load_versions
select id, version, created_at from product order by id, version;

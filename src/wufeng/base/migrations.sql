-- name: take_lock
-- Two `migrate` at once: the second waits, then finds nothing to do. The key is "wufeng" in ASCII.
select pg_advisory_lock(131339022987879);

-- name: release_lock
select pg_advisory_unlock(131339022987879);

-- name: create_history
create table if not exists migration (
    number smallint primary key,
    name text not null,
    digest text not null,
    applied_at timestamptz not null
);
comment on table migration is 'reference table: the migrations that made this schema, each with the digest of its file';
grant select on migration to wufeng_app;

-- name: applied
select number, name, digest from migration order by number;

-- name: record
insert into migration (number, name, digest, applied_at) values ($1, $2, $3, $4);

-- name: roles_missing
select name from unnest(array['wufeng_owner', 'wufeng_app']) as name
 where not exists (select 1 from pg_roles where rolname = name);

-- name: create_role
-- The app role owns nothing, so that it can neither change a table nor switch a trigger off.
select format('create role %I login', $1::text);

-- name: database_exists
select exists (select 1 from pg_database where datname = $1);

-- name: create_database
-- Each test has its own, copied from a template as files: faster than through the log for one as small as ours.
select format('create database %I owner wufeng_owner template %I strategy file_copy', $1::text, $2::text);

-- name: close_database
-- Temporary tables would let the app role put one of its own before a real one.
select format('revoke all on database %1$I from public', $1::text)
union all
select format('grant connect on database %1$I to wufeng_app', $1::text);

-- name: drop_database
select format('drop database if exists %I with (force)', $1::text);

-- name: server_facts
-- What start-up insists on. The role must own nothing: an owner can switch the ledger's triggers off.
select current_setting('server_version_num')::int as version_num,
       current_setting('fsync') as fsync,
       current_setting('full_page_writes') as full_page_writes,
       current_setting('synchronous_commit') as synchronous_commit,
       current_setting('server_encoding') as server_encoding,
       current_user::text as role_name,
       role.rolsuper as is_superuser,
       exists (select 1 from pg_class where relowner = role.oid) as owns_something
  from pg_roles as role
 where role.rolname = current_user;

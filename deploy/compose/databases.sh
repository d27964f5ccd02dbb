#!/bin/sh
# Gives each service that is named (invitation, connection) a role and a database of its own on the server `postgres`. May be run again: what is there
# stays, but for the role's password, which is what its file says.
set -eu
export PGHOST=postgres PGUSER=postgres PGDATABASE=postgres PGPASSWORD
PGPASSWORD=$(cat /etc/acquaint/postgres.password)
for service in "$@"; do
  export SERVICE="$service"
  psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 <<'SQL'
\set name `printf 'acquaint_%s' "$SERVICE"`
\set password `cat "/etc/acquaint/$SERVICE-db.password"`
select format('create role %I login', :'name') where not exists (select from pg_roles where rolname = :'name') \gexec
select format('alter role %I password %L', :'name', :'password') \gexec
select format('create database %I owner %I', :'name', :'name') where not exists (select from pg_database where datname = :'name') \gexec
select format('revoke all on database %I from public', :'name') \gexec
SQL
  echo "acquaint_$service has its role and its database"
done

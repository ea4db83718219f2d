#!/bin/sh
# Run once, when the data directory is made: the roles, what a session of each may last, and the databases.
# What the runtime role may do to tables is granted after each migration (`manage.py audit_permissions --apply`).
set -eu
secrets=${SECRETS:-/run/secrets}
psql --set ON_ERROR_STOP=1 --quiet --username "$POSTGRES_USER" --dbname postgres \
    --set owner_password="$(cat "$secrets/owner_password")" \
    --set app_password="$(cat "$secrets/app_password")" \
    --set keycloak_password="$(cat "$secrets/keycloak_password")" <<'SQL'
CREATE ROLE happening_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'owner_password';
CREATE ROLE happening_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'app_password';
CREATE ROLE happening_reports LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE; -- signs in once it has a password
CREATE ROLE keycloak LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'keycloak_password';

-- A session behind PgBouncer cannot ask for these itself.
ALTER ROLE happening_app SET lock_timeout = '5s';
ALTER ROLE happening_app SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE happening_app SET timezone = 'UTC';

CREATE DATABASE happening OWNER happening_owner;
CREATE DATABASE keycloak OWNER keycloak;
REVOKE CONNECT ON DATABASE happening, keycloak FROM PUBLIC;
GRANT CONNECT ON DATABASE happening TO happening_app, happening_reports;
\connect happening
-- For /metrics and the staff's page; each role reads the words of its own statements alone. In a schema of its
-- own, where neither grants nor backups meet it.
CREATE SCHEMA watching;
CREATE EXTENSION pg_stat_statements SCHEMA watching;
GRANT USAGE ON SCHEMA watching TO happening_app, happening_reports;
SQL

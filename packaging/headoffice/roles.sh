#!/bin/sh
# Run once by the image of PostgreSQL, on an empty database: the two roles, and the owner of the schema.
set -eu
secrets=${SECRETS:-/run/secrets}
psql --no-psqlrc --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<SQL
\set owner \`cat "$secrets/owner_password"\`
\set app \`cat "$secrets/app_password"\`
CREATE ROLE regulars_owner LOGIN PASSWORD :'owner';
CREATE ROLE regulars_app LOGIN PASSWORD :'app';
REVOKE ALL ON DATABASE regulars FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE regulars TO regulars_owner;
GRANT CONNECT ON DATABASE regulars TO regulars_app;
ALTER SCHEMA public OWNER TO regulars_owner;
SQL

#!/bin/bash
# Runs once, when the container of deploy/compose.yaml makes its database: tables, roles, and TLS for everybody.
set -euo pipefail

run() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" "$@"
}

for file in metertwin orleans roles; do
    run --single-transaction --file "/sql/$file.sql"
done

# The password is read by psql itself: it shows neither in the arguments of a process nor in the log.
run <<'SQL'
SET log_statement TO none;
SET log_min_duration_statement TO -1;
SET log_min_error_statement TO panic;
\set password `cat /run/secrets/postgres_serve`
ALTER ROLE metertwin_serve PASSWORD :'password';
SQL

# The image lets everybody in with a password, by TLS or without.
sed --in-place 's/^host all all all /hostssl all all all /' "$PGDATA/pg_hba.conf"
grep --quiet '^hostssl all all all ' "$PGDATA/pg_hba.conf"

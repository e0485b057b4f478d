-- Least privileges in PostgreSQL: who serves may read and write rows, and change no table. Apply as an administrator
-- to the database of MeterTwin, behind metertwin.sql and orleans.sql, again after either has changed:
--   psql --single-transaction --file roles.sql
-- Then set the password, unseen by logs and by the history of the shell:   psql, and in it: \password metertwin_serve
--
-- VACUUM is for the owner of the tables, as after an erasure.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname='metertwin_serve') THEN
        CREATE ROLE metertwin_serve LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    -- TEMPORARY: states of twins are copied into a temporary table on their way.
    EXECUTE format('GRANT CONNECT, TEMPORARY ON DATABASE %I TO metertwin_serve', current_database());
END
$$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA metertwin, public TO metertwin_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA metertwin TO metertwin_serve;
-- The version of the schema is the administrator's.
REVOKE INSERT, UPDATE, DELETE ON metertwin.meta FROM metertwin_serve;

GRANT SELECT ON public.OrleansQuery TO metertwin_serve;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.OrleansMembershipVersionTable, public.OrleansMembershipTable,
    public.OrleansRemindersTable TO metertwin_serve;

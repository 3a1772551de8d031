-- The roles Coldfleet needs, made once by the database's administrator, before `coldfleet cloud migrate`:
--
--   psql -v owner_password="'...'" -v app_password="'...'" -f roles.sql
--
-- coldfleet_owner   owns the tables and migrates them
-- coldfleet_app     what `coldfleet cloud serve` and `worker` sign in as: sees only what row-level security shows it
-- coldfleet_ingest  may add readings, nothing else; coldfleet_app takes it on for the length of a COPY
--
-- Then: CREATE DATABASE coldfleet OWNER coldfleet_owner;

CREATE ROLE coldfleet_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :owner_password;
CREATE ROLE coldfleet_app LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS PASSWORD :app_password;
CREATE ROLE coldfleet_ingest NOLOGIN NOSUPERUSER NOBYPASSRLS;
GRANT coldfleet_ingest TO coldfleet_app;

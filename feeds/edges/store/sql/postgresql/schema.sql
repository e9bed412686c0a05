-- name: schema.has_version
-- Return 1 if the table of the version exists.
SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'alembic_version';

-- name: schema.columns
-- Return the names of the columns of a table.
SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = :table;

-- name: schema.foreign_tables
-- Return the names of all tables: in a new store, another program's.
SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename;

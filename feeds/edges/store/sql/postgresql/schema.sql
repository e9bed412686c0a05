-- name: schema.has_version
-- Return 1 if the table of the version exists.
SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'alembic_version';

-- name: schema.foreign_tables
-- Return the names of all tables: in a new store, another program's.
SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename;

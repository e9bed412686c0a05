-- name: schema.has_version
-- Return 1 if the table of the version exists.
SELECT 1 FROM sqlite_master WHERE name = 'alembic_version';

-- name: schema.columns
-- Return the names of the columns of a table.
SELECT name FROM pragma_table_info(:table);

-- name: schema.foreign_tables
-- Return the names of all tables: in a new store, another program's.
SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name;

-- name: schema.write_obstacle
-- Return that the file can be written: the file system tells when it is tried.
SELECT true, NULL;

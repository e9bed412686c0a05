-- name: schema.has_version
-- Return 1 if the table of the version exists.
SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'alembic_version';

-- name: schema.columns
-- Return the names of the columns of a table. It is asked at each opening, and information_schema is slow.
SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
WHERE relname = :table AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
    AND attnum > 0 AND NOT attisdropped;

-- name: schema.foreign_tables
-- Return the names of all tables: in a new store, another program's.
SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename;

-- name: schema.write_obstacle
-- Return whether the session may write, and the first table that the role may only read.
SELECT current_setting('transaction_read_only') = 'off', (
    SELECT min(relname) FROM pg_class
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND relkind = 'r'
    AND NOT (
        has_table_privilege(oid, 'INSERT') AND has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE')
    )
);

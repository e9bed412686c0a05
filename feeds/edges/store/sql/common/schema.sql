-- name: schema.version
-- Return the last migration that was applied.
SELECT version_num FROM alembic_version;

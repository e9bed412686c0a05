-- name: schema.version
-- Return the last migration that was applied.
SELECT version_num FROM alembic_version;

-- name: schema.set_version
-- Store which migration was applied last, or that rows are being copied.
UPDATE alembic_version SET version_num = :version;

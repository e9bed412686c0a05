-- name: suppressions.key_ids
-- Return the prefixes of the digests, before the colon.
SELECT DISTINCT split_part(digest, ':', 1) FROM suppressions;

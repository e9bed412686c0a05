-- name: suppressions.key_ids
-- Return the prefixes of the digests, before the colon.
SELECT DISTINCT substr(digest, 1, instr(digest, ':') - 1) FROM suppressions;

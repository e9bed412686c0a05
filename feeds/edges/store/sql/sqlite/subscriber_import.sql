-- name: subscriber_import.cache_store
-- Keep more of the store in memory: 20 MB.
PRAGMA main.cache_size = -20000;

-- name: subscriber_import.cache_arrivals
-- Keep more of the temporary tables in memory: 20 MB.
PRAGMA temp.cache_size = -20000;

-- name: subscriber_import.prepare_arrivals
-- Make staged rows quick to find: by their address.
CREATE INDEX IF NOT EXISTS temp.ix_arrivals_key ON arrivals (key);

-- name: subscriber_import.reserve_ids
-- Return the last id that a subscriber has or had; who holds the lock of writing gives the next ones.
SELECT max(coalesce((SELECT max(id) FROM subscribers), 0), coalesce((SELECT max(id) FROM erased_subscribers), 0));

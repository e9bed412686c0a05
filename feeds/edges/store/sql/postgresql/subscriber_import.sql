-- name: subscriber_import.cache_store
-- Give joins and sorts more memory: 20 MB.
SET work_mem = '20MB';

-- name: subscriber_import.cache_arrivals
-- Keep more of the temporary tables in memory: 20 MB; it may not be changed once there are any.
SET temp_buffers = '20MB';

-- name: subscriber_import.prepare_arrivals
-- Make staged rows quick to find: the planner learns how many there are.
ANALYZE arrivals;

-- name: subscriber_import.reserve_ids
-- Reserve ids of subscribers, as many as there may be new ones; return the id before the first.
SELECT setval(pg_get_serial_sequence('subscribers', 'id'),
    nextval(pg_get_serial_sequence('subscribers', 'id')) + :most) - :most;

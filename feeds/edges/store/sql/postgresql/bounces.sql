-- name: bounces.defer_deliveries
-- Let the pending deliveries at a domain wait.
-- Rows are locked in the order of their ids, as by `deliveries.finish`: no deadlock.
WITH pending AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE state NOT IN ('sent', 'failed', 'cancelled') AND domain = :domain AND state IN ('ready', 'leased', 'deferred')
    ORDER BY id FOR NO KEY UPDATE)
UPDATE deliveries SET state = 'deferred', next_at = :until, answer = :answer
FROM pending WHERE deliveries.id = pending.id;

-- name: bounces.defer_deliveries
-- Let the pending deliveries at a domain wait.
UPDATE deliveries SET state = 'deferred', next_at = :until, answer = :answer
WHERE state NOT IN ('sent', 'failed', 'cancelled') AND domain = :domain AND state IN ('ready', 'leased', 'deferred');

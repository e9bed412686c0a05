-- name: alerts.is_recorded
-- Return 1 if an alert was recorded.
SELECT 1 FROM alerts WHERE about = :about;

-- name: alerts.delete_old
-- Delete alerts from before a time.
DELETE FROM alerts WHERE at < :before;

-- name: alerts.record
-- Record an alert, unless it was recorded before.
INSERT INTO alerts (about, at) VALUES (:about, :at) ON CONFLICT (about) DO NOTHING;

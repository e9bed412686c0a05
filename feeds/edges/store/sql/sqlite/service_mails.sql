-- name: service_mails.recipients_at
-- Return the recipient of each mail of a kind to some domains that was queued after a time.
SELECT recipient_key FROM service_mails
WHERE kind = :kind AND created_at > :since AND domain IN (SELECT value FROM json_each(:domains));
